# What an administrator does to the relations of the schema while six clients
# track: extra indexes, indexes whose building was broken off, CLUSTER, VACUUM
# FULL, REINDEX.  No hit fails or begins a visit that it should have continued,
# and status() names what is odd.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = 50ms\nautovacuum = off\nmax_locks_per_transaction = 256\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log();
SELECT pk_tracking.add_site('identified'), pk_tracking.add_site('anonymous');
SELECT pk_tracking.set_instance('create_new_visit_after_midnight', 'off'), pk_tracking.set_instance('create_new_visit_after_x_actions', '0');
SELECT pk_tracking.set_site(2, 'consent_mode', 'ask_else_anonymous');
SELECT pk_tracking.add_goal(1, 'all', 'url', 'example', allow_multiple => true);
CREATE TABLE recorded (n bigint);
-- hits of visitor v: one with an id, one excluded, one without consent
CREATE FUNCTION hits(v integer) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT count(*) FROM pk_tracking.track(1, 'http://example.org/' || v, visitor_id => lpad(to_hex(v), 16, '0')::hexid) a,
		pk_tracking.track(1, 'http://example.org/', ip => '198.51.100.1', user_agent => 'Googlebot/2.1 (+http://www.google.com/bot.html)') b,
		pk_tracking.track(2, 'http://example.org/', ip => ('198.51.100.' || v)::inet, user_agent => 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', consent => 'unknown') c
$$;
SQL
my @tables = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' ORDER BY 1
SQL
cmp_ok(scalar(@tables), '>', 25, 'all tables of the schema');

my $script = $node->basedir . '/hits.pgb';
PostgreSQL::Test::Utils::append_to_file($script, "\\set v random(1, 20)\nINSERT INTO recorded SELECT hits(:v);\n");
my ($bench_out, $bench_err) = ('', '');
my $bench = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '6', '-j', '2', '-T', '600', '-R', '300', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'<', \undef, '>', \$bench_out, '2>', \$bench_err);

# Wait until more hits have been written, or no client is left.
sub hits_go_on
{
	my ($name) = @_;
	my $n = $node->safe_psql('postgres', 'SELECT count(*) FROM recorded');
	my $more = 0;
	for (1 .. 1800)
	{
		$more = $node->safe_psql('postgres', "SELECT count(*) > $n + 60 FROM recorded") eq 't';
		IPC::Run::pump_nb($bench);
		last if $more || $bench_err =~ /aborted/;
		usleep(100_000);
	}
	ok($more && $bench_err !~ /aborted/, "hits go on $name") or BAIL_OUT("a client met an error: $bench_err");
	return;
}
hits_go_on('before anything happens');

# an extra index on every table
$node->safe_psql('postgres', join(';', map { "SELECT format('CREATE INDEX extra_$_ ON pk_tracking.$_ (%I)', attname) FROM pg_attribute WHERE attrelid = 'pk_tracking.$_'::regclass AND attnum = 1 \\gexec\n" } @tables) =~ s/;SELECT/SELECT/gr);
hits_go_on('with an extra index on every table');

# REINDEX and CREATE INDEX CONCURRENTLY wait for one who writes, and are broken off there
my ($in, $out, $err) = ('', '', '');
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(300));
$in .= 'BEGIN; LOCK TABLE ' . join(', ', map { "pk_tracking.$_" } @tables) . " IN ROW EXCLUSIVE MODE; SELECT 'held';\n";
IPC::Run::pump($holder) until $out =~ /held/;
my ($rin, $rout, $rerr) = ('', '', '');
my $builder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$rin, '>', \$rout, '2>', \$rerr, IPC::Run::timeout(300));
$rin .= "SELECT 'pid ' || pg_backend_pid();\n";
IPC::Run::pump($builder) until $rout =~ /pid (\d+)\n/;
my ($pid) = $rout =~ /pid (\d+)\n/;
foreach my $table (@tables)
{
	$rin .= "REINDEX TABLE CONCURRENTLY pk_tracking.$table;\n\\echo over $table.\n";
	IPC::Run::pump_nb($builder);
	$node->safe_psql('postgres', <<"SQL");
DO \$\$ BEGIN
	LOOP
		EXIT WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = 'pk_tracking.$table'::regclass AND NOT i.indisvalid)
			AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = $pid AND NOT l.granted);
		PERFORM pg_sleep(0.01);
	END LOOP;
	PERFORM pg_cancel_backend($pid);
END \$\$
SQL
	IPC::Run::pump($builder) until $rout =~ /over $table\./;
}
$rin .= "\\q\n";
IPC::Run::finish($builder);
$in .= "COMMIT;\n\\q\n";
IPC::Run::finish($holder);

my $invalid = $node->safe_psql('postgres', <<'SQL');
SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'pk_tracking'::regnamespace AND NOT i.indisvalid
SQL
cmp_ok($invalid, '>=', scalar(@tables), 'every table has an index that is not valid');
hits_go_on('with them');
is($node->safe_psql('postgres', "SELECT count(*) FROM pk_tracking.status() WHERE item ~ '^index ' AND value = 'not valid'"), $invalid,
	'status() names each of them');

$node->safe_psql('postgres', join('', map { "CLUSTER pk_tracking.$_ USING extra_$_;\n" } @tables));
hits_go_on('after CLUSTER');
$node->safe_psql('postgres', join('', map { "VACUUM (FULL, ANALYZE) pk_tracking.$_;\n" } @tables));
hits_go_on('after VACUUM FULL');

# The way back: drop what is odd.  VACUUM FULL has made valid what was not, so it
# stands there twice.
isnt($node->safe_psql('postgres', "SELECT count(*) FROM pk_tracking.status() WHERE item ~ '^index .*_ccnew' AND value = 'extra'"), '0',
	'status() names what is there twice');
$node->safe_psql('postgres', <<'SQL');
SELECT 'DROP INDEX CONCURRENTLY ' || i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	JOIN pg_class n ON n.oid = i.indexrelid
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND (NOT i.indisvalid OR n.relname LIKE 'extra\_%' OR n.relname LIKE '%\_ccnew') \gexec
SQL
hits_go_on('while they are dropped');
$node->safe_psql('postgres', 'REINDEX SCHEMA CONCURRENTLY pk_tracking');
hits_go_on('after REINDEX SCHEMA CONCURRENTLY');
is($node->safe_psql('postgres', "SELECT * FROM pk_tracking.status() WHERE item ~ '^(index|table|look-up in) '"), '',
	'status() finds nothing odd any more');

$bench->signal('INT');
IPC::Run::finish($bench);
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO recorded%' AND pid <> pg_backend_pid()");
unlike($bench_err, qr/aborted|ERROR/, 'no client met an error');
my @errors = grep { !/canceling statement due to user request|connection to client lost/ }
  grep { /(ERROR|FATAL|PANIC):/ } split /\n/, PostgreSQL::Test::Utils::slurp_file($node->logfile);
is(join("\n", @errors), '', 'nor did the server');

is($node->safe_psql('postgres', 'SELECT sum(n) = (SELECT count(*) FROM pk_tracking.log_visit v JOIN pk_tracking.log_link_visit_action a ON a.idvisit = v.idvisit WHERE v.idsite = 1) FROM recorded'),
	't', 'every hit has one action');
is($node->safe_psql('postgres', 'SELECT idsite, count(*) FROM pk_tracking.log_visit GROUP BY 1 ORDER BY 1'), "1|20\n2|20",
	'and no visitor a second visit');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.log_link_visit_action a WHERE NOT EXISTS (SELECT FROM pk_tracking.log_action n WHERE n.idsite = a.idsite AND n.idaction = a.idaction_url)'),
	'0', 'every URL has its name');

$node->stop;
done_testing();
