# How sessions end, attempts to log in, slow reports, PostgreSQL that is away.
use strict;
use warnings;
use Edge;
use Time::HiRes 'sleep';
use Web;

web_database('pk_web_ends');
my $daemon = start_web(web_statement_timeout => '500ms', web_connections => 2);
my $days = 'from=2026-11-16&to=2026-11-17';
my $visits = "visits?idsite=1&$days";

## what ends a session
for my $end (
	[ 'a new password', "ALTER ROLE web_one PASSWORD 'another'", "ALTER ROLE web_one PASSWORD 'secret of web_one'" ],
	[ 'NOLOGIN', 'ALTER ROLE web_one NOLOGIN', 'ALTER ROLE web_one LOGIN' ],
	[ 'a password that has expired', "ALTER ROLE web_one VALID UNTIL '2020-01-01'", "ALTER ROLE web_one VALID UNTIL 'infinity'" ],
	[ 'an attribute', 'ALTER ROLE web_one CREATEDB', 'ALTER ROLE web_one NOCREATEDB' ],
	[ 'membership in a role of the server', 'GRANT pg_monitor TO web_one', 'REVOKE pg_monitor FROM web_one' ],
	[ 'membership in a superuser', 'GRANT web_super TO web_one', 'REVOKE web_super FROM web_one' ],
	[ 'revoke_web()', "SELECT pk_tracking.revoke_web('web_one', 'web_daemon')", "SELECT pk_tracking.grant_web('web_one', 'web_daemon')" ],
	[ 'DROP ROLE', 'DROP OWNED BY web_one; DROP ROLE web_one',
		"CREATE ROLE web_one LOGIN PASSWORD 'secret of web_one'; SELECT pk_tracking.grant_analyst('web_one', '{1}'); SELECT pk_tracking.grant_web('web_one', 'web_daemon')" ])
{
	my $session = login($daemon, 'web_one');
	is(api($daemon, $session, $visits)->{status}, 200, "before $end->[0] the session reads");
	sql($end->[1]);
	my $answer = api($daemon, $session, $visits);
	is(problem_of($answer), '401 log in', '  and has ended then');
	like(header_of($answer, 'Set-Cookie') // '', qr/Max-Age=0/, '  the cookie goes');
	sql($end->[2]);
	is(problem_of(api($daemon, $session, $visits)), '401 log in', '  and stays ended when it is undone');
}
my $session = login($daemon, 'web_one');
sql("SELECT pk_tracking.grant_analyst('web_one', '{2}')");
is(api($daemon, $session, $visits)->{status}, 400, 'a site that is taken away is gone at once');
is(api($daemon, $session, "visits?idsite=2&$days&period=range")->{data}{rows}[0]{nb_visits}, 20, 'and another one is there');
sql('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pk_tracking FROM web_one');
is(problem_of(api($daemon, $session, $visits)), '404 not found', 'so is a report');
sql("SELECT pk_tracking.grant_analyst('web_one', '{1}')");

## a slow report is cancelled, and its connection serves on
sql(q{CREATE FUNCTION public.slow() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN true; END $$;
	CREATE POLICY slow ON pk_tracking.log_visit AS RESTRICTIVE FOR SELECT TO web_analyst USING (public.slow())});
my $slow = login($daemon, 'web_analyst');
is(problem_of(api($daemon, $slow, $visits)), '504 the report takes too long', 'it is cancelled');
is(problem_of(api($daemon, $slow, "$visits&format=csv")), '504 the report takes too long', 'as CSV, too');
is(api($daemon, $session, $visits)->{status}, 200, 'others are served') for 1 .. 4;
is(api($daemon, $session, "sites?$days")->{body} =~ /Blog/ ? 'both' : 'one', 'one', 'as themselves') for 1 .. 4;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'web_daemon' AND state <> 'idle'"), 0, 'no transaction is left');
sql('DROP POLICY slow ON pk_tracking.log_visit');

## an error that is nobody's fault is told to nobody
sql(q{CREATE FUNCTION public.broken() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'secret detail' USING ERRCODE = '58030'; END $$;
	CREATE POLICY broken ON pk_tracking.log_visit AS RESTRICTIVE FOR SELECT TO web_analyst USING (public.broken())});
my $broken = api($daemon, $slow, $visits);
is(problem_of($broken), '500 the request failed', 'an internal error is one');
is(index($broken->{body}, 'secret detail'), -1, 'without its text');
like(slurp($daemon->{log}), qr/a request of the web pages failed \(SQLSTATE 58030\)/, 'and the log has its SQLSTATE');
sql('DROP POLICY broken ON pk_tracking.log_visit');
is(api($daemon, $slow, $visits)->{status}, 200, 'and then it goes on');

## connections that are cut
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_daemon'");
ok(wait_for(20, sub { api($daemon, $session, $visits)->{status} == 200 }), 'sessions outlive connections that are cut');
is(request($daemon, '/healthz')->{status}, 200, 'and the daemon is well');

## a role that a function leaves behind at COMMIT
my $single = start_web(web_connections => 1);
my $admin = login($single, 'web_admin');
$session = login($single, 'web_one');
sql(q{CREATE FUNCTION public.leave() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('role', 'web_chief', false); RETURN true; END $$;
	CREATE POLICY leave ON pk_tracking.site AS RESTRICTIVE FOR UPDATE TO web_admin USING (public.leave())});
is(post($single, '/api/admin/change_site', { idsite => 1, currency => 'CHF' }, @{ $admin->{args} }, '-H', "X-CSRF-Token: $admin->{csrf}")->{status}, 200, 'a change commits with another role');
is(api($single, $session, "sites?$days")->{body} =~ /Blog/ ? 'both' : 'one', 'one', 'the next request is its own role all the same') for 1 .. 3;
sql('DROP POLICY leave ON pk_tracking.site');
is(slurp($single->{log}) =~ /a session had a role/ ? 'seen' : 'reset', 'reset', 'for it was reset');
Edge::stop_daemon($single);

## 200 attempts
my %count;
for (1 .. 200)
{
	my $answer = login($daemon, 'web_admin', "wrong $_");
	$count{ $answer->{status} }++;
	ok((header_of($answer, 'Retry-After') // 0) > 0, 'it is told when to come again') if $answer->{status} == 429 && $count{429} == 1;
}
ok($count{401} >= 10 && $count{401} <= 15, 'of 200 attempts few are tried', map { "$_: $count{$_}" } sort keys %count);
is($count{401} + $count{429}, 200, 'and the others refused');
is(login($daemon, 'web_admin')->{status}, 429, 'also with the right password');
is(login($daemon, 'web_chief')->{status}, 200, 'another name is free');
# by address, as a proxy tells it
%count = ();
my $from = sub { my ($address, $name) = @_; return post($daemon, '/api/login', { user => $name, password => 'x' }, '-H', "X-Forwarded-For: $address", '-H', 'X-Forwarded-Proto: https')->{status} };
$count{ $from->('198.51.100.9', "name$_") }++ for 1 .. 30;
ok($count{401} >= 20 && $count{401} <= 25, 'of an address few are tried, whatever the names', map { "$_: $count{$_}" } sort keys %count);
is($from->('198.51.100.9, 127.0.0.1', 'name99'), 429, 'a proxy of ours behind it does not hide it');
is($from->('198.51.100.10', 'name99'), 401, 'another address is free');
is($from->("2001:db8:1:1::$_", "six$_") , $_ <= 20 ? 401 : $from->("2001:db8:1:1::ffff", 'six'), "a network of IPv6 is one: $_") for 1 .. 20;
is($from->('2001:db8:1:1:ffff::1', 'seven'), 429, 'an address of that network is refused');
is($from->('2001:db8:1:2::1', 'seven'), 401, 'one of another is not');

## time
Edge::stop_daemon($daemon);
$daemon = start_web(web_session_idle => '1min', web_session_max => '1min');
is(problem_of(api($daemon, $session, $visits)), '401 log in', 'a restart ends sessions');

## PostgreSQL does not ask for a password
my $trust = start_web(web_login => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=postgres");
is(problem_of(login($trust, 'web_analyst', 'whatever')), '503 log-in is not possible', 'where PostgreSQL asks for no password nobody gets in');
like(slurp($trust->{log}), qr/PostgreSQL did not ask for a password/, 'and the log says why');

web_done();
