# The log in logical replication: a publication of all tables makes no hit fail,
# and what publication_tables() lists gives the same reports in another database.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "autovacuum = off\nmax_logical_replication_workers = 8\nmax_worker_processes = 12\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->safe_psql($_, "CREATE EXTENSION pk_tracking CASCADE; SELECT pk_tracking.create_log();") foreach qw(postgres copy);

# hits of a day: visitors, downloads, searches, goals, orders, carts, excluded and joined ones
sub traffic
{
	my ($day) = @_;
	return <<"SQL";
SELECT count(*) FROM pk_tracking.track_requests((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('idsite', 1, 'rec', 1,
	'url', 'https://a.example/' || i % 9, 'action_name', 'page ' || i % 9, '_id', lpad(to_hex(i % 12 + 1), 16, '0'), 'cip', '192.0.2.' || i % 12,
	'cdt', to_char('$day 10:00'::timestamp + i * interval '3 minutes', 'YYYY-MM-DD HH24:MI:SS'),
	'ua', CASE WHEN i % 10 = 9 THEN 'Googlebot/2.1 (+http://www.google.com/bot.html)' ELSE 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' END,
	'download', CASE WHEN i % 10 = 3 THEN 'https://a.example/f.pdf' END, 'search', CASE WHEN i % 10 = 4 THEN 'word ' || i END,
	'idgoal', CASE WHEN i % 10 = 5 THEN 0 END, 'ec_id', CASE WHEN i % 10 = 5 THEN '$day ' || i END, 'revenue', CASE WHEN i % 10 = 5 THEN '9.5' END)))
	FROM generate_series(1, 120) i), trusted => true);
SQL
}

# what only excluded hits, settings, loads and the scheduler change
sub chores
{
	my ($day) = @_;
	return <<"SQL";
SELECT FROM generate_series(0, 2) i, pk_tracking.track(1, 'https://a.example/', user_agent => 'Googlebot/2.1 (+http://www.google.com/bot.html)', at => '$day 12:00+00'::timestamptz + i * interval '1 minute');
SELECT pk_tracking.set_site(1, 'visit_standard_length', '1200');
SELECT pk_tracking.set_site(1, 'visit_standard_length', '1800');
SELECT pk_tracking.set_site(1, 'page_maximum_length', '500');
DELETE FROM pk_tracking.setting WHERE name = 'page_maximum_length';
INSERT INTO pk_tracking.log_action SELECT * FROM pk_tracking.log_action LIMIT 3;
INSERT INTO pk_tracking.log_excluded SELECT * FROM pk_tracking.log_excluded LIMIT 1;
INSERT INTO pk_tracking.secret_destroyed (kind, destroyed) VALUES ('daily salt', '2020-01-01'), ('link key', now());
DELETE FROM pk_tracking.secret_destroyed WHERE kind = 'daily salt';
UPDATE pk_tracking.log_version SET created = now();
UPDATE pk_tracking.log_visit_length SET seconds = seconds + 1;
INSERT INTO loads SELECT 1, 'https://a.example/', NULL UNION ALL SELECT 0, 'https://a.example/', NULL;
DELETE FROM pk_tracking.ingest_run WHERE rejected > 0;
SELECT done FROM pk_tracking.maintain();
SQL
}
$node->safe_psql('postgres', <<'SQL');
SELECT pk_tracking.add_site('a', '{https://a.example}');
SELECT pk_tracking.add_goal(1, 'page', 'url', '/5');
CREATE TABLE loads (idsite integer, url text, visitor_id text);
SELECT pk_tracking.attach('loads', '{"idsite": "idsite", "url": "url", "_id": "visitor_id"}');
CREATE PUBLICATION everything FOR ALL TABLES;
SQL

# whatever changes a row of the log can do so where all tables are published
foreach my $statement (map { "$_;" } split /;\n/, traffic('2026-03-02') . chores('2026-03-02'))
{
	my ($code, $out, $err) = $node->psql('postgres', "SET client_min_messages = warning; $statement");
	is($err, '', 'published: ' . ($statement =~ /((?:pk_tracking\.|INTO )\w+)/)[0]);
}
is($node->safe_psql('postgres', "SELECT value FROM pk_tracking.status() WHERE item = 'publication everything'"), 'has salt, token',
	'status() warns of what is published');
$node->safe_psql('postgres', 'DROP PUBLICATION everything');

# what is worth it, to another database
$node->safe_psql('postgres', <<'SQL');
SELECT format('CREATE PUBLICATION log FOR TABLE %s', string_agg(t::text, ', ')) FROM pk_tracking.publication_tables() t \gexec
SELECT pg_create_logical_replication_slot('log', 'pgoutput');
SQL
is($node->safe_psql('postgres', "SELECT count(*) FROM pk_tracking.status() WHERE item ~ '^publication'"), '0', 'nothing to warn of');
my $connection = 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres';
$node->safe_psql('copy', "CREATE SUBSCRIPTION log CONNECTION '$connection' PUBLICATION log WITH (create_slot = false, slot_name = 'log')");
$node->poll_query_until('copy', "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel") or die 'the tables are not copied';
$node->safe_psql('postgres', traffic('2026-03-03') . chores('2026-03-03'));
$node->wait_for_catchup('log');

my @reports = map { "pk_tracking.$_(1, '2026-03-01', '2026-03-04')" } qw(report_visits report_pages report_titles report_downloads
  report_searches report_goals report_orders report_browsers report_entry_pages report_exit_pages);
foreach my $what (@reports, 'pk_tracking.excluded', 'pk_tracking.settings', 'pk_tracking.site', 'pk_tracking.goal', 'pk_tracking.log_action',
	'pk_tracking.log_excluded', 'pk_tracking.log_visit_length', 'pk_tracking.visit', 'pk_tracking.action', 'pk_tracking.log_conversion')
{
	my $sql = "SELECT count(*), md5(string_agg(r::text, ' ' ORDER BY r::text)) FROM $what r";
	my $here = $node->safe_psql('postgres', $sql);
	is($node->safe_psql('copy', $sql), $here, "$what is the same there");
	unlike($here, qr/^0\|/, "$what is not empty");
}
is($node->safe_psql('copy', 'SELECT count(*) FROM pk_tracking.token'), '0', 'no tokens there');
isnt($node->safe_psql('copy', 'SELECT value FROM pk_tracking.salt ORDER BY name'), $node->safe_psql('postgres', 'SELECT value FROM pk_tracking.salt ORDER BY name'),
	'and other salts');

$node->safe_psql('copy', 'ALTER SUBSCRIPTION log DISABLE; ALTER SUBSCRIPTION log SET (slot_name = NONE); DROP SUBSCRIPTION log');
$node->stop;
done_testing();
