# ingest() goes on after a dump was restored on another server, and takes every
# row once: rows that were taken before the dump, that were not, and later ones.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my %node;
foreach my $name (qw(old new))
{
	$node{$name} = PostgreSQL::Test::Cluster->new($name);
	$node{$name}->init;
	$node{$name}->start;
}

sub fill
{
	my ($node, $first, $last) = @_;
	$node->safe_psql('postgres', "INSERT INTO raw (idsite, url, at) SELECT 1, 'https://a.example/' || i, '2026-03-02 10:00+00'::timestamptz + i * interval '1 s' FROM generate_series($first, $last) i");
}

sub tracked
{
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT url) FROM pk_tracking.action');
}

my ($out, $err);
my $ingest = "CALL pk_tracking.ingest('raw', batch => 30)";

$node{old}->safe_psql('postgres', q{CREATE EXTENSION pk_tracking CASCADE;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('one');
	CREATE TABLE raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, idsite integer, url text, at timestamptz)});
fill($node{old}, 1, 100);
$node{old}->safe_psql('postgres', $ingest);
is(tracked($node{old}), '100|100', 'all rows on the old server');
fill($node{old}, 101, 120);

$node{old}->command_ok([ 'pg_dump', '--no-sync', '-f', "$dir/dump.sql", 'postgres' ], 'dump');
$node{new}->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/dump.sql", 'postgres' ], 'restore on another server');
fill($node{new}, 121, 130);

$node{new}->psql('postgres', $ingest, stderr => \$err);
like($err, qr/comes from another server.*pk_tracking\.ingest_resume\(\)/s, 'ingest() names the way out');
is(tracked($node{new}), '100|100', 'and takes nothing');
$node{new}->psql('postgres', "SELECT pk_tracking.ingest_resume('raw', '50')", stderr => \$err);
like($err, qr/rows of table "raw" after this key have been tracked already/, 'no row is taken twice');
$node{new}->psql('postgres', "SELECT pk_tracking.ingest_resume('raw')", stdout => \$out, stderr => \$err);
is("$out$err", '30', 'rows that are left');
$node{new}->safe_psql('postgres', $ingest);
is(tracked($node{new}), '130|130', 'every row once');
fill($node{new}, 131, 140);
$node{new}->safe_psql('postgres', $ingest);
is(tracked($node{new}), '140|140', 'and those that came later');

# the old server is as it was
$node{old}->safe_psql('postgres', $ingest);
is(tracked($node{old}), '120|120', 'the old server');

done_testing();
