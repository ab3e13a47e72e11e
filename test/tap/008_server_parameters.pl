# Server parameters on a fresh server, in the ways that doc/enrichment.md tells,
# as they are written there.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $document = PostgreSQL::Test::Utils::slurp_file("$FindBin::RealBin/../../doc/enrichment.md");
my ($conf) = $document =~ /^```\n(pk_tracking\..*?)^```/ms;
my ($statements) = $document =~ /^```\n(LOAD .*?)^```/ms;
ok(defined $conf && defined $statements, 'the document has both ways');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

sub value
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "LOAD 'pk_tracking'; SHOW pk_tracking.$name");
}

my ($code, $out, $err);

# without the library: what troubleshooting.md explains; from 17 on the server takes
# a parameter that it does not know
(my $alone = $statements) =~ s/^LOAD.*\n//;
($code, $out, $err) = $node->psql('postgres', $alone, on_error_stop => 1);
like($err, $node->pg_version >= 17 ? qr/^$/ : qr/unrecognized configuration parameter "pk_tracking\.geoip_city_file"/,
	'before 17 the library must be loaded');
$node->safe_psql('postgres', "LOAD 'pk_tracking'; ALTER SYSTEM RESET pk_tracking.geoip_city_file");

# no extension, and a session that knows nothing
($code, $out, $err) = $node->psql('postgres', $statements, on_error_stop => 1);
is($code, 0, 'ALTER SYSTEM on a fresh server') or diag($err);
is(value('geoip_city_file'), '/var/lib/geoip/city.mmdb', 'other sessions see it');

$node->safe_psql('postgres', "LOAD 'pk_tracking'; ALTER SYSTEM RESET pk_tracking.geoip_city_file; ALTER SYSTEM SET pk_tracking.user_agent_rules_file = '/nowhere/rules.yaml'");
$node->append_conf('postgresql.conf', $conf);
$node->restart;
is(value('geoip_asn_file'), '/var/lib/geoip/asn.mmdb', 'postgresql.conf');
is(value('user_agent_rules_file'), '/nowhere/rules.yaml', 'and ALTER SYSTEM');

# tracking is the same with files that are not there
is( $node->safe_psql('postgres', q{SET client_min_messages = error;
	CREATE EXTENSION pk_tracking CASCADE; SELECT pk_tracking.create_log() IS NULL; SELECT pk_tracking.add_site('one') = 0;
	SELECT (pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.9', user_agent => 'a')).outcome}) =~ s/.*\n//sr,
	'recorded', 'tracking');

done_testing();
