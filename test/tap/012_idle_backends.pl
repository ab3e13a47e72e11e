# What an idle backend still has in its memory of visitors who have not agreed:
# no more than after a statement that passes the same values and does nothing.
# The server's own buffers (the message, the plan, the arguments' values) are
# what such a statement leaves; the extension must add nothing.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $dir;
mkdir "$dir/geo";
system($^X, "$FindBin::RealBin/../geoip/make.pl", "$dir/geo") == 0
  or BAIL_OUT('the GeoIP files could not be made: is libmaxmind-db-writer-perl installed?');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\nmax_parallel_workers_per_gather = 0");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log();
SELECT pk_tracking.add_site('s');
SELECT pk_tracking.set_instance('consent_mode', 'ask_else_anonymous');
SELECT pk_tracking.set_instance('server_cookie', 'on');
CREATE TABLE raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address inet, agent text, uid text, query text);
CREATE TABLE like_raw (LIKE raw INCLUDING ALL);
CREATE TABLE never_raw (LIKE raw INCLUDING ALL);
SELECT pk_tracking.attach('raw', '{"idsite": {"value": 1}, "ip": "address", "user_agent": "agent", "uid": "uid", "query": "query"}');
-- tables that others fill, to be loaded: the first of those who are searched for
CREATE TABLE queue_of_one (LIKE raw INCLUDING ALL);
CREATE TABLE queue_of_another (LIKE raw INCLUDING ALL);
-- it sleeps in the middle of a document
CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(600); RETURN NULL; END';
CREATE TRIGGER sleep AFTER INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION sleep();
ALTER TABLE pk_tracking.log_link_visit_action DISABLE TRIGGER sleep;
-- functions with the same arguments that do nothing but wait for those who lock this
CREATE TABLE gate ();
CREATE SCHEMA nothing;
DO $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT p.proname, p.proretset, pg_get_function_arguments(p.oid) AS arguments,
			pg_get_function_result(p.oid) AS result FROM pg_proc p
		WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^track($|_request)'
	LOOP
		EXECUTE format('CREATE FUNCTION nothing.%I(%s) RETURNS %s LANGUAGE plpgsql COST 10000 AS ''BEGIN PERFORM FROM gate; RETURN%s; END''',
			f.proname, f.arguments, f.result, CASE WHEN f.proretset THEN '' ELSE ' NULL' END);
	END LOOP;
END $$;
-- this one does not wait, because the document comes after it
CREATE FUNCTION nothing.track_batch(daemon uuid, number bigint, session uuid) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
-- and such that read the rows and do nothing with them
CREATE FUNCTION nothing.replay(from_table regclass, mapping jsonb) RETURNS bigint LANGUAGE plpgsql COST 10000 AS $$
DECLARE
	r record;
BEGIN
	FOR r IN EXECUTE format('SELECT * FROM %s', from_table) LOOP
		PERFORM FROM gate;
	END LOOP;
	RETURN 3;
END $$;
CREATE PROCEDURE nothing.ingest(from_table regclass, mapping jsonb) LANGUAGE plpgsql AS 'BEGIN PERFORM nothing.replay(from_table, mapping); END';
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM FROM gate; RETURN NULL; END';
CREATE TRIGGER nothing AFTER INSERT ON like_raw REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER nothing AFTER INSERT ON never_raw REFERENCING NEW TABLE AS n FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION nothing();
});

# with an empty log, for replay()
my $database = 'postgres';
$node->safe_psql('template1', 'CREATE DATABASE replays TEMPLATE postgres');

# what must not be found, by name
my %values = (
	v4 => '203.0.113.201', v6 => '2001:db8:a17c:93e5:6b2d:f048:1c97:35da', uid => 'uid-Zq7kXw3vPmT@example.test',
	cookie => '5f3a9c71e28b4d60', id => 'c4a7e19b3d60f582', agent => 'Mozilla/5.0 (Zq7kDevice; Linux) MarkerAgent/7.13 Xw3v');
my @others = (
	[ $values{v4}, '198.51.100.122' ], [ $values{v6}, '2001:db8:b27c:94e5:6b3d:f148:1d97:45da' ],
	[ 'Zq7kXw3vPmT', 'Aq7kXw3vPm2' ], [ $values{cookie}, '6f3a9c71e28b4d61' ], [ $values{id}, 'd4a7e19b3d60f583' ],
	[ 'Zq7kDevice', 'Aq7kDevice' ], [ '7.13 Xw3v', '7.13 Aw3v' ],
	[ 'queue_of_one', 'queue_of_another' ]);
my %forms = (
	'IPv4 address as text' => $values{v4},
	'IPv4 address in bytes' => pack('C4', 203, 0, 113, 201),
	'IPv4 address, turned round' => pack('C4', 201, 113, 0, 203),
	'IPv6 address as text' => $values{v6},
	'IPv6 address in bytes' => pack('H*', '20010db8a17c93e56b2df0481c9735da'),
	'user id' => $values{uid},
	'session cookie as text' => $values{cookie},
	'session cookie in bytes' => pack('Q', hex $values{cookie}),
	'visitor id as text' => $values{id},
	'visitor id in bytes' => pack('Q', hex $values{id}),
	'user agent' => 'MarkerAgent/7.13 Xw3v',
	'device of the user agent' => 'Zq7kDevice');

# A session that runs statements and stays.
sub session
{
	my ($sql) = @_;
	my %s = (in => '', out => '', err => '');
	$s{h} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database) ], '<', \$s{in}, '>', \$s{out}, '2>', \$s{err});
	$s{in} = "LOAD 'pk_tracking';\nSET pk_tracking.geoip_city_file = '$dir/geo/city.mmdb';\nSELECT 'pid', pg_backend_pid();\n$sql\nSELECT 1;\nSELECT 2;\nSELECT 'idle';\n";
	wait_for(\%s, qr/^pid\|(\d+)$/m);
	($s{pid}) = $s{out} =~ /^pid\|(\d+)$/m;
	return \%s;
}

sub wait_for
{
	my ($s, $pattern) = @_;
	my $timer = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	$timer->start;
	while ($s->{out} !~ $pattern)
	{
		die "no answer: $s->{out}$s->{err}" if $timer->is_expired;
		$s->{h}->pump_nb;
		select(undef, undef, undef, 0.01);
	}
	return;
}

# How often each form is in the process's private memory.
sub count
{
	my ($pid) = @_;
	my %n = map { $_ => 0 } keys %forms;
	open(my $maps, '<', "/proc/$pid/maps") or return;
	open(my $mem, '<:raw', "/proc/$pid/mem") or return;
	while (my $line = <$maps>)
	{
		my ($from, $to, $private, $name) = $line =~ /^([0-9a-f]+)-([0-9a-f]+) r[w-].(.) \S+ \S+ \S+\s*(\S*)/ or next;
		next if $private ne 'p' || $line !~ /^\S+ rw/;
		my $bytes = '';
		sysseek($mem, hex $from, 0) or next;
		sysread($mem, $bytes, hex($to) - hex($from)) or next;
		foreach my $form (keys %forms)
		{
			for (my $at = 0; ($at = index($bytes, $forms{$form}, $at)) >= 0; $at++)
			{
				$n{$form}++;
				printf STDERR "%s: %s at %x of %s\n", $form, substr($bytes, $at > 60 ? $at - 60 : 0, 130) =~ s{[^ -~]}{.}gr, $at, $line if $ENV{PKT_SHOW};
			}
		}
	}
	return \%n;
}

# The same of another visitor.
sub others
{
	my ($sql) = @_;
	$sql =~ s/\Q$_->[0]\E/$_->[1]/g foreach @others;
	return $sql;
}

# Does this leave no more than the server itself holds?  What it holds is counted
# in a session that calls functions that do nothing but wait: while one waits, and
# afterwards.  Both have done the same for another visitor before, so that what is
# read once per session has been read.  What the answer itself says, as the
# session's cookie, is the caller's.  rows: so many more, for the server's own copy of
# a statement's rows, of which the controls overwrite parts.  fill: what another session
# runs before each of these.
sub compare
{
	my ($what, $sql, $expected, $answered, $rows, $fill) = @_;
	my ($other, $control) = (others($sql), $sql);
	$control =~ s/pk_tracking\.(track|ingest|replay)/nothing.$1/g;
	$control =~ s/SET statement_timeout = \d+/SET statement_timeout = 0/g;
	$control =~ s/(COPY|INTO) raw/$1 like_raw/g;

	my $gate = session("BEGIN;\nLOCK TABLE gate;");
	wait_for($gate, qr/^idle$/m);
	$node->safe_psql($database, $fill) if $fill;
	my $s = session("$other\nROLLBACK;\n$control");
	for (1 .. 18000)
	{
		$s->{h}->pump_nb;
		last if $node->safe_psql($database, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $s->{pid}") eq 'Lock';
		die "the control does not wait: $s->{out}$s->{err}" if $s->{out} =~ /^idle$/m;
	}
	print STDERR "== $what: $control\n" if $ENV{PKT_SHOW};
	my $during = count($s->{pid});
	$gate->{in} .= "ROLLBACK;\nSELECT 'open';\n";
	wait_for($gate, qr/^open$/m);
	$gate->{h}->kill_kill;
	wait_for($s, qr/^idle$/m);
	my $before = count($s->{pid});
	$s->{h}->kill_kill;

	# what a trigger that is not called leaves alone
	if ($control =~ s/like_raw/never_raw/)
	{
		$s = session("$other\nROLLBACK;\n$control");
		wait_for($s, qr/^idle$/m);
		print STDERR "== $what: $control\n" if $ENV{PKT_SHOW};
		my $again = count($s->{pid});
		$s->{h}->kill_kill;
		$before->{$_} = $again->{$_} > $before->{$_} ? $again->{$_} : $before->{$_} foreach keys %forms;
	}

	my %server = map { $_ => ($before->{$_} > $during->{$_} ? $before->{$_} : $during->{$_}) + ($rows // 0) } keys %forms;
	my (@more, %again);
	# four bytes also come up by chance: what is left is left every time
	for my $time (1, 2)
	{
		$node->safe_psql($database, $fill) if $fill;
		$s = session("$other\nROLLBACK;\n$sql");
		wait_for($s, qr/^idle$/m);
		print STDERR "== $what: $sql\n" if $ENV{PKT_SHOW};
		like($s->{out} . $s->{err}, $expected, "$what: as expected") if $time == 1;
		my $after = count($s->{pid});
		$s->{h}->kill_kill;
		@more = grep { $after->{$_} > $server{$_} && !($answered && $_ eq 'session cookie as text') && ($time == 1 || $again{$_}) } sort keys %forms;
		last unless @more;
		%again = map { $_ => 1 } @more;
		@more = map { "$_: $after->{$_}, not $server{$_}" } @more;
	}
	is(join("\n", @more), '', "$what: nothing more is left");
	return \%server;
}

my $probe = session('SELECT 1;');
if (!defined count($probe->{pid}))
{
	$probe->{h}->kill_kill;
	plan skip_all => 'the memory of another process cannot be read here';
}
$probe->{h}->kill_kill;

foreach my $v (qw(v4 v6))
{
	my $query = "idsite=1&rec=1&url=http://a.example/&uid=$values{uid}&_id=$values{id}&lang=de";
	my $headers = qq({"user-agent": "$values{agent}", "x-forwarded-for": "$values{$v}", "cookie": "_pk_anonymous=$values{cookie}; _pk_uid=$values{id}"});
	my $track = "SELECT outcome FROM pk_tracking.track(1, url => 'http://a.example/', ip => '$values{$v}', user_agent => '$values{agent}', user_id => '$values{uid}', visitor_id => '$values{id}', session_cookie => '$values{cookie}');";
	my $rest = "ip => '$values{$v}', user_agent => '$values{agent}', headers => '$headers'";
	my $request = "SELECT outcome FROM pk_tracking.track_request('$query', $rest);";
	my $invalid = $request =~ s/&lang/&cid=zz&lang/r;
	my $document = qq(["?$query", "?$query&action_name=b", "?$query&cid=zz"]);
	my $row = join("\t", $values{$v}, $values{agent}, $values{uid}, "url=http://a.example/&_id=$values{id}");

	my $found = compare("track(), $v", $track, qr/^recorded/m, 1);
	cmp_ok($found->{'user id'}, '>', 0, 'the search finds what the server keeps');
	compare("track() ten times, $v", "$track\n" x 10, qr/^recorded/m, 1);
	compare("track() in a transaction, $v", "BEGIN;\n$track", qr/^recorded/m, 1);
	compare("track_request(), $v", $request, qr/^recorded/m, 1);
	compare("track_request() in a transaction that fails, $v", "BEGIN;\n$request\nSELECT 1/0;\nROLLBACK;", qr/^recorded.*by zero/ms, 1);
	compare("an invalid request, $v", $invalid, qr/^invalid/m);
	compare("an error, $v", $invalid =~ s/\);$/, strict => true);/r, qr/invalid value for tracking parameter "cid"/);
	compare("an error that is caught, $v", "DO \$\$ BEGIN PERFORM 1 " . ($invalid =~ s/SELECT outcome//r =~ s/\);$/, strict => true);/r) . " EXCEPTION WHEN data_exception THEN END \$\$;", qr/idle/);
	foreach my $type (qw(jsonb text))
	{
		my $rows = "SELECT string_agg(outcome, ' ') FROM pk_tracking.track_requests('$document'::$type, $rest);";
		compare("a document as $type, $v", $rows, qr/^recorded recorded invalid/m, 1);
		compare("a document's answer as $type, $v", "SELECT * FROM pk_tracking.track_requests_answer('$document'::$type, $rest);", qr/"tracked": 2/);
		compare("a batch of a daemon as $type, $v", "BEGIN;\nSELECT pk_tracking.track_batch('7b1c9a52-0d3e-4f68-9a17-2c5d8e6f0b34', (extract(epoch FROM clock_timestamp()) * 1e6)::bigint, '00000000-0000-4000-8000-000000000001');\n$rows\nCOMMIT;", qr/^recorded recorded invalid(?!.*ERROR)/ms, 1);
		$node->safe_psql('postgres', 'ALTER TABLE pk_tracking.log_link_visit_action ENABLE TRIGGER sleep');
		compare("a document as $type that takes too long, $v", "SET statement_timeout = 1000;\n$rows\nRESET statement_timeout;", qr/statement timeout/, 1);
		$node->safe_psql('postgres', 'ALTER TABLE pk_tracking.log_link_visit_action DISABLE TRIGGER sleep');
	}
	compare("COPY, $v", "COPY raw (address, agent, uid, query) FROM STDIN;\n" . "$row\n" x 3 . "\\.\nSELECT 'rejected', count(*) FROM pk_tracking.rejected_hit;", qr/^rejected\|0/m, 0, 3);
	my $mapping = '{"idsite": {"value": 1}, "ip": "address", "user_agent": "agent", "uid": "uid", "query": "query"}';
	my $fill = join("\n", map { my $values = "INSERT INTO $_ (address, agent, uid, query) SELECT '$values{$v}', '$values{agent}', '$values{uid}', 'url=http://a.example/&_id=$values{id}' FROM generate_series(1, 3);"; $_ eq 'queue_of_one' ? $values : others($values) } qw(queue_of_one queue_of_another));
	compare("ingest(), $v", "CALL pk_tracking.ingest('queue_of_one', mapping => '$mapping');\nSELECT 'rejected', count(*) FROM pk_tracking.rejected_hit;", qr/^rejected\|0(?!.*ERROR)/ms, 0, 0, $fill);
	$database = 'replays';
	compare("replay(), $v", "BEGIN;\nSELECT 'replayed', pk_tracking.replay('queue_of_one', mapping => '$mapping') > 2;\nROLLBACK;", qr/^replayed\|t/m, 0, 0, $fill);
	$database = 'postgres';
	compare("INSERT, $v", "INSERT INTO raw (address, agent, uid, query) VALUES ('$values{$v}', '$values{agent}', '$values{uid}', 'url=http://a.example/&_id=$values{id}');", qr/idle/m);
}
is($node->safe_psql('postgres', 'SELECT count(*) > 40, array_agg(DISTINCT consent) FROM pk_tracking.log_link_visit_action'), 't|{2}', 'all visitors were anonymous');

done_testing();
