# Documents of several hits, large ones and single hits at once, on two sites:
# nobody deadlocks or fails, every hit is counted once, and a large document
# that waits does not stop the others.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = 50ms\nmax_locks_per_transaction = 256\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log();
SELECT pk_tracking.add_site('one');
SELECT pk_tracking.add_site('two');
SELECT pk_tracking.set_site(2, 'fingerprint_salt_rotation', 'daily');
SELECT pk_tracking.set_instance('create_new_visit_after_x_actions', '0');
-- how many hits were recorded; written by whoever tracked them
CREATE TABLE recorded (n bigint);
-- n hits of few visitors through ids, users and networks that overlap, in any
-- order, on both sites, today and yesterday
CREATE FUNCTION some_hits(n integer, visitors integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('idsite', 1 + (random() < 0.3)::int, 'rec', 1, 'url', 'http://example.org/' || i % 7,
		'cip', '10.' || (random() * visitors)::int || '.0.1',
		'_id', CASE WHEN random() < 0.7 THEN lpad(to_hex(1 + (random() * visitors)::int), 16, '0') END,
		'uid', CASE WHEN random() < 0.1 THEN 'u' || (random() * visitors)::int END,
		'cdo', CASE WHEN random() < 0.2 THEN 86400 END)))
	FROM generate_series(1, n) i
$$;
SQL

my $single = 'SELECT count(*) FROM pk_tracking.track_requests(some_hits(1, 6), trusted => true);';
my %script = (
	single => "INSERT INTO recorded $single",
	bulk => "INSERT INTO recorded SELECT count(*) FROM pk_tracking.track_requests(some_hits(6, 6), trusted => true) t WHERE t.outcome = 'recorded';",
	large => "INSERT INTO recorded SELECT count(*) FROM pk_tracking.track_requests(some_hits(200, 200), trusted => true) t WHERE t.outcome = 'recorded';");
$node->pgbench('-n -c 8 -j 2 -t 60', 0, [qr/actually processed: 480\/480/], [qr/^(?!.*ERROR)/s],
	'many clients at once',
	{ '003_single@6' => $script{single}, '003_bulk@6' => $script{bulk}, '003_large@1' => $script{large} });

is($node->safe_psql('postgres', 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'),
	'0', 'no deadlock');
is($node->safe_psql('postgres', 'SELECT sum(n) = (SELECT count(*) FROM pk_tracking.log_link_visit_action) FROM recorded'),
	't', 'every hit has one action');
is($node->safe_psql('postgres', <<'SQL'), '', 'every visit adds up');
SELECT v.idvisit FROM pk_tracking.log_visit v
WHERE v.visit_total_actions <> (SELECT count(*) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit)
	OR v.visit_last_action_time <> (SELECT max(a.server_time) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit)
SQL

# A large document waits for a live hit's transaction.
my ($in, $out, $err) = ('', '', '');
my $live = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(120));
$in .= "BEGIN; SELECT outcome FROM pk_tracking.track(1, visitor_id => 'fefefefefefefefe'); SELECT 'held';\n";
IPC::Run::pump($live) until $out =~ /held/;

my ($large_out, $large_err) = ('', '');
my $large = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $script{large}, '-c', "SELECT 'came through'" ],
	'<', \undef, '>', \$large_out, '2>', \$large_err, IPC::Run::timeout(120));
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE '%some_hits(200%'")
  or die 'the large document does not wait';
is($node->safe_psql('postgres', "SET lock_timeout = '20s'; SELECT outcome FROM pk_tracking.track(1, visitor_id => 'fdfdfdfdfdfdfdfd')"),
	'recorded', 'other hits go on while it waits');
is($large_out, '', 'it still waits');
$in .= "COMMIT;\n\\q\n";
IPC::Run::finish($live);
IPC::Run::finish($large);
is("$large_out$large_err", "came through\n", 'then it goes on');

$node->stop;
done_testing();
