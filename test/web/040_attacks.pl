# What hostile users try: a public link as a token, long passwords, floods of sessions
# and of slow requests, formulas behind a separator.
use strict;
use warnings;
use Edge;
use IO::Socket::INET;
use Time::HiRes 'sleep';
use Web;

$SIG{PIPE} = 'IGNORE';
web_database('pk_web_attacks');
my $daemon = start_web(port => free_port(), requests_per_address => 100000);
my $days = 'from=2026-11-16&to=2026-11-17';

# many(N, REQUEST): sends a request N times on one connection; the answers' statuses and how many
sub many
{
	my ($n, $text) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$daemon->{port}") or die "connect: $!";
	my %count;
	while ($n > 0)
	{
		my $now = $n < 50 ? $n : 50;
		my ($answers, $got) = ('', 0);
		print $socket $text x $now;
		while ($got < $now)
		{
			sysread($socket, $answers, 65536, length $answers) or die 'the daemon hung up';
			$got = () = $answers =~ m{HTTP/1\.1 \d}g;
		}
		$count{$1}++ while $answers =~ m{HTTP/1\.1 (\d+)}g;
		$n -= $now;
	}
	return join ' ', map { "$_:$count{$_}" } sort keys %count;
}

sub public_session
{
	my $link = shift;
	my ($cookie) = header_of(request($daemon, "/public/$link"), 'Set-Cookie') =~ /^([^;]*)/;
	return { cookie => $cookie, args => [ '-H', "Cookie: $cookie" ] };
}

## a public link as a token for scripts
my $link = sql(q{SELECT pk_tracking.create_web_token('press', 'web_chief', 1)});
my $bearer = { args => [ '-H', "Authorization: Bearer $link" ] };
for my $page (qw(sites settings goals dimensions segments profiles exclusions tracking_tokens tokens users functions status))
{
	is(problem_of(api($daemon, $bearer, "admin/$page?idsite=1")), '404 not found', "it shows no page $page of the administration");
}
is(api($daemon, $bearer, "visits?idsite=2&$days&period=range")->{data}{rows}[0]{nb_visits}, 10, 'but the sums of its site, whatever the address says');
is(api($daemon, $bearer, "visit_log?idsite=1&$days")->{status}, 404, 'and no visit log');
is(problem_of(api($daemon, { args => [ @{ public_session($link)->{args} }, @{ $bearer->{args} } ] }, 'admin/tokens')), '404 not found', 'also with its session');

## seconds in place of days: whoever looks at one visit sees no sums
my $second = 'visitors=all%20from%20' . sql(q{SELECT extract(epoch FROM timestamptz '2026-11-16 13:00+00')::bigint}) . '%20to%20' . sql(q{SELECT extract(epoch FROM timestamptz '2026-11-16 13:00:01+00')::bigint});
for my $who ([ 'a public link', $bearer ], [ 'an analyst', login($daemon, 'web_analyst') ])
{
	for my $format ('', '&format=csv')
	{
		my $answer = api($daemon, $who->[1], "countries?idsite=1&$days&$second$format");
		is($answer->{status}, 400, "$who->[0] does not ask for a second of the day");
		like($answer->{data}{detail} // '', qr/^invalid value for argument "visitors"/, 'and is told so');
	}
}

## passwords that cost a key derivation of megabytes
my $file = work_dir() . '/long.json';
for my $length (1025, 1_900_000)
{
	Web::put($file, '{"user":"web_one","password":"' . 'a' x $length . '"}');
	my $answer = request($daemon, '/api/login', '-H', 'Content-Type: application/json', '--data-binary', "\@$file");
	is(problem_of($answer), '400 request refused', "a password of $length bytes is not tried");
	like($answer->{body}, qr/at most 1024 bytes/, 'and the limit is told');
}
my $longest = 'p' x 1024;
sql("ALTER ROLE web_one PASSWORD '$longest'");
is(login($daemon, 'web_one', $longest)->{status}, 200, 'one of 1024 bytes is');
sql("ALTER ROLE web_one PASSWORD 'secret of web_one'");

## JSON without end
my $admin = login($daemon, 'web_admin');
for my $try ([ 'nested without end', '{"idsite": 1, "name": ' . '[' x 200000 . ']' x 200000 . '}', 'the request is too complex' ], [ 'a bad byte', "{\"idsite\": 1, \"name\": \"\xff\"}", 'invalid byte sequence for encoding "UTF8": 0xff' ],
	[ 'a zero', '{"idsite": 1, "name": "\\u0000"}', undef ], [ 'half a character', '{"idsite": 1, "name": "\\ud800"}', undef ], [ 'no object', '[1]', 'the arguments must be a JSON object' ], [ 'no JSON', '{', undef ])
{
	Web::put($file, $try->[1]);
	my $answer = request($daemon, '/api/admin/change_site', '-H', 'Content-Type: application/json', '--data-binary', "\@$file", @{ $admin->{args} }, '-H', "X-CSRF-Token: $admin->{csrf}");
	is($answer->{status}, 400, "$try->[0]: it is the client's fault");
	is(json($answer->{body})->{detail}, $try->[2], 'and told') if $try->[2];
	ok($answer->{body} !~ /CONTEXT|PL.pgSQL|max_stack_depth/, 'without internals', $answer->{body});
}

## floods of sessions
my $chief = login($daemon, 'web_chief');
is(many(10500, "GET /public/$link HTTP/1.1\r\nHost: x\r\n\r\n"), '303:10500', 'a public link begins as many sessions as it likes');
is(api($daemon, $chief, 'session')->{status}, 200, 'and nobody who logged in is logged out by it');
my $one = login($daemon, 'web_one');
my $body = '{"user":"web_one","password":"secret of web_one"}';
my $post = "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
is(many(110, $post), '200:110', 'a role logs in often');
is(api($daemon, $one, 'session')->{status}, 401, 'which ends its own oldest session');
is(api($daemon, $chief, 'session')->{status}, 200, 'and nobody else\'s');

## slow requests of a public link, and of one role
sql(q{CREATE FUNCTION public.slow() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN true; END $$;
	CREATE ROLE web_slow LOGIN PASSWORD 'secret of web_slow';
	SELECT pk_tracking.grant_analyst('web_slow'), pk_tracking.grant_web('web_slow', 'web_daemon');
	CREATE POLICY slow ON pk_tracking.log_visit AS RESTRICTIVE FOR SELECT TO web_slow USING (public.slow())});
my $slow_link = sql(q{SELECT pk_tracking.create_web_token('slow', 'web_slow', 1)});
my $first = $daemon;
for my $asker ([ 'a public link', sub { public_session($slow_link) }, 2 ], [ 'a role', sub { login($daemon, 'web_slow') }, 3 ])
{
	# nothing is cancelled, and nothing waits too long, before all is looked at
	$daemon = start_web(port => free_port(), web_statement_timeout => '10min', answer_timeout => '10min');
	my $other = login($daemon, 'web_chief');
	my $session = $asker->[1]->();
	my @sockets;
	for (1 .. 20)
	{
		my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$daemon->{port}") or die "connect: $!";
		print $socket "GET /api/visits?idsite=1&$days HTTP/1.1\r\nHost: x\r\nCookie: $session->{cookie}\r\n\r\n";
		push @sockets, $socket;
	}
	my $busy = q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'web_daemon' AND wait_event = 'PgSleep'};
	is(wait_for(60, sub { my $n = sql($busy); $n >= $asker->[2] && $n }), $asker->[2], "20 slow requests of $asker->[0] have $asker->[2] of 4 connections");
	is(api($daemon, $other, "visits?idsite=1&$days")->{status}, 200, 'and others are served') for 1 .. 3;
	is(sql($busy), $asker->[2], 'in the meantime');
	Edge::stop_daemon($daemon, 'KILL');
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_daemon' AND wait_event = 'PgSleep'});
}
$daemon = $first;
sql('DROP POLICY slow ON pk_tracking.log_visit; DROP OWNED BY web_slow; DROP ROLE web_slow');

## days without end
for my $query ("visits?idsite=1&from=0001-01-01&to=9999-12-31&period=hour", "visits?idsite=1&from=0001-01-01&to=9999-12-31&period=day",
	"evolution?idsite=1&from=0001-01-01&to=9999-12-31&report=report_pages")
{
	my $answer = api($daemon, $chief, $query);
	is($answer->{status}, 400, "$query is refused");
	like($answer->{data}{detail} // '', qr/at most 100000/, 'and the limit is told');
}

## formulas behind a separator of some languages' spreadsheets
sql(q{SELECT pk_tracking.track(1, 'https://shop.example.org/x', t, ip => '203.0.113.99', user_agent => 'agent', at => '2026-11-10 10:00+00')
	FROM unnest(ARRAY['a;=1+1;b', 'c; @x', E'd\te;-1', 'e;f=1', E'\uff1d1', 'g|=2']) t});
my $csv = api($daemon, $chief, 'titles?idsite=1&from=2026-11-10&to=2026-11-10&format=csv')->{body};
like($csv, qr/^\Q$_\E,/m, "$_ is no formula in any column") for q{a;'=1+1;b}, q{c;' @x}, q{e;f=1}, "'\x{ef}\x{bc}\x{9d}1", 'g|=2';
unlike_formula($csv);
sub unlike_formula { ok($_[0] !~ /(^|[;\t])\s*[-=+@]/m, 'no cell of the file begins as a formula', $_[0]) }

## revoke_web(): memberships by way of others, of other grantors, that inherit
sub told { my $query = shift; return eval { sql($query); 'done' } // 'refused' }
sql(q{CREATE ROLE web_group; GRANT web_one TO web_group; GRANT web_group TO web_daemon});
is(told(q{SELECT pk_tracking.revoke_web('web_one', 'web_daemon')}), 'refused', 'a membership by way of another role is not passed over in silence');
sql(q{DROP ROLE web_group});
$one = login($daemon, 'web_one');
sql(q{CREATE ROLE web_grantor CREATEROLE; GRANT web_one TO web_grantor WITH ADMIN OPTION});
sql(q{SET ROLE web_grantor; GRANT web_one TO web_daemon});
is(told(q{SELECT pk_tracking.revoke_web('web_one', 'web_daemon')}), 'done', 'one that another role granted, too, is revoked');
is(sql(q{SELECT pg_has_role('web_daemon', 'web_one', 'MEMBER')}), 'f', 'and is gone');
is(problem_of(api($daemon, $one, 'session')), '401 log in', 'with the session');
is(told(q{SELECT pk_tracking.revoke_web('web_one', 'web_daemon')}), 'done', 'a second call does nothing');
is(told(q{SELECT pk_tracking.revoke_web('web_one', 'web_nobody')}), 'refused', 'a daemon that is no role is told');
sql(q{DROP OWNED BY web_grantor; DROP ROLE web_grantor});
if (sql('SHOW server_version_num') >= 160000)
{
	sql(q{GRANT web_one TO web_daemon WITH INHERIT TRUE});
	is(told(q{SELECT pk_tracking.grant_web('web_one', 'web_daemon')}), 'refused', 'a membership that inherits is refused');
	sql(q{REVOKE web_one FROM web_daemon});
}
is(told(q{SELECT pk_tracking.grant_web('web_one', 'web_daemon')}), 'done', 'it is granted again');
is(sql(q{SELECT pg_has_role('web_daemon', 'web_one', 'USAGE')}), 'f', 'without inheritance');

## a daemon that is a superuser, who is a member of every role
my $super = start_web(database => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=pk_web_attacks user=postgres", web_login => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=pk_web_attacks");
is(problem_of(login($super, $_)), '403 this role may not use the web pages', "such a daemon lets nobody in: $_") for qw(web_stranger web_analyst);

web_done();
