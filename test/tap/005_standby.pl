# A hot standby serves the reports, anonymous visits among them; what leads to
# anybody's session does not get there, and tracking says that it cannot.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
# a standby that starts late, on a busy machine, still finds the WAL
$node->append_conf('postgresql.conf', "wal_keep_size = '1GB'");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	CREATE EXTENSION pk_tracking;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('asks', '{https://a.example}');
	SELECT pk_tracking.set_site(1, 'consent_mode', 'ask_else_anonymous');
	SELECT pk_tracking.set_site(1, 'trust_visitors_cookies', 'on');
	SELECT pk_tracking.set_site(1, 'fingerprint_salt_rotation', 'daily');
	SELECT pk_tracking.add_goal(1, 'all', 'url', 'a.example', 'contains');
	SELECT pk_tracking.add_dimension(1, 'section', 'action');
	CREATE ROLE analyst LOGIN;
	SELECT pk_tracking.grant_analyst('analyst');
	CREATE ROLE web LOGIN;
	SELECT pk_tracking.grant_tracker('web');
});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

# visits of all kinds, while it follows
$node->safe_psql('postgres', q{
	SELECT pk_tracking.track_request('idsite=1&rec=1&action_name=T&url=https://a.example/p' || i || '&' || c || '&' || k, ('198.' || (length(c) + 50) || '.100.' || i)::inet, 'agent', 'de-DE', '2026-03-29 00:30+00'::timestamptz + i * interval '1 min')
	FROM generate_series(1, 12) i, unnest(ARRAY['uia=1', 'consent=-1',  'consent=1&_id=00000000000000' || to_hex(16 + i)]) c,
		unnest(ARRAY['', 'e_c=a&e_a=b', 'search=w', 'link=https://o.example/', 'download=https://a.example/f', 'idgoal=0&ec_id=' || i || md5(c) || '&revenue=3&ec_items=[["s","n","c",1,1]]']) k;
});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));

# every report that there is, with a filter and without
my $calls = join '', map { slurp_file("$FindBin::RealBin/../reports/$_.sql") } qw(arguments calls);
foreach my $filter ('NULL', "'countryCode!=zz;actions>=1,deviceType==tv'")
{
	my @reports = split /\n/, $node->safe_psql('postgres', "$calls SELECT report || E'\\t' || call FROM report_calls ORDER BY 1",
		extra_params => ['-v', 'idsite=1', '-v', "from_date='2026-03-28'", '-v', "to_date='2026-03-30'", '-v', "filter=$filter"]);
	cmp_ok(scalar(@reports), '>', 40, 'there are reports');
	foreach (@reports)
	{
		my ($report, $call) = split /\t/;
		my $sql = "SET ROLE analyst; SELECT md5(coalesce(string_agg(r::text, '|'), '')), count(*) FROM $call r";
		my ($code, $there, $err) = $standby->psql('postgres', $sql);
		is("$there $err", $node->safe_psql('postgres', $sql) . ' ', "$report() with filter $filter says the same there");
	}
}
is($standby->safe_psql('postgres', "SET ROLE analyst; SELECT nb_visits_undecided, nb_visits_refused, nb_visits_granted FROM pk_tracking.report_consent(1, '2026-03-29', '2026-03-29')"),
	'12|12|12', 'how many were identified, undecided, refused');

# secrets: unlogged, so there is nothing to read
foreach my $table (qw(link_key_0 link_key_1 session_link_0 session_link_1))
{
	my ($code, $read, $err) = $standby->psql('postgres', "SELECT count(*) FROM pk_tracking.$table");
	like($err, qr/cannot access temporary or unlogged relations during recovery/, "$table cannot be read there");
}
my @salts = split /\n/, $node->safe_psql('postgres', q{SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname ~ '^daily_salt' AND c.relkind = 'r'});
cmp_ok(scalar(@salts), '>', 0, 'there are daily salts');
foreach my $table (@salts)
{
	my ($code, $read, $err) = $standby->psql('postgres', "SELECT count(*) FROM pk_tracking.$table");
	like($err, qr/cannot access temporary or unlogged relations during recovery/, "$table cannot be read there");
}
foreach my $role (qw(analyst web))
{
	my ($code, $read, $err) = $standby->psql('postgres', "SET ROLE $role; SELECT * FROM pk_tracking.salt");
	like($err, qr/permission denied/, "$role cannot read the instance salt there");
}

# tracking: one error, that says why, whoever comes and however
foreach my $call ("track(1, 'https://a.example/', consent => 'denied')", "track(1, 'https://a.example/', consent => 'granted')",
	"track_request('idsite=1&rec=1', '192.0.2.1')", "track_requests('[\"?idsite=1&rec=1\", \"?idsite=1&rec=1&uia=1\"]', '192.0.2.1')", 'maintain()')
{
	my ($code, $read, $err) = $standby->psql('postgres', ($call =~ /^track/ ? 'SET ROLE web; ' : '') . "SELECT * FROM pk_tracking.$call");
	is($read, '', "$call: nothing");
	is(scalar(() = $err =~ /ERROR:/g), 1, "$call: one error");
	like($err, qr/ERROR:  cannot (track hits|maintain the log) on a standby/, "$call: which says why");
	unlike($err, qr/192\.0\.2\.1/, "$call: and nothing of the hit");
}
$standby->stop;
$node->stop;

done_testing();
