# Session links and their keys are in no WAL, replica, backup, dump or server
# log, and are gone after a crash, both at once.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
# a standby that starts late, on a busy machine, still finds the WAL
$node->append_conf('postgresql.conf', "wal_keep_size = '1GB'");
# whatever a server may log
$node->append_conf('postgresql.conf', qq(
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_verbose = on
autovacuum = off
));
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir();

sub sql
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# what a hit at ten o'clock finds; with a visit, it is linked
sub link_of
{
	my ($on, $cookie, $visit) = @_;
	$visit = 'NULL' if !defined $visit;
	return $on->safe_psql('postgres',
		"SELECT pk_tracking_internal.session_link(1, 'cookie', '$cookie', '2026-01-05 10:00+00', '2026-01-05 10:00+00', $visit)");
}

# every secret byte string that is to be nowhere
sub secrets
{
	return map { pack('H*', $_) } split /\n/,
	  sql("SELECT encode(value, 'hex') FROM pk_tracking.link_key_0 UNION ALL SELECT encode(uuid_send(link), 'hex') FROM pk_tracking.session_link_0");
}

# how many of the byte strings, as bytes, as hex or as uuid, are in these files
sub found_in
{
	my ($strings, @files) = @_;
	my %found;
	foreach my $file (@files)
	{
		my $content = lc slurp_file($file);
		foreach my $s (@$strings)
		{
			my $hex = unpack('H*', $s);
			my $uuid = $hex;
			$uuid =~ s/^(.{8})(.{4})(.{4})(.{4})(.{12})$/$1-$2-$3-$4-$5/;
			$found{$s} = 1 if grep { index($content, lc $_) >= 0 } ($s, $hex, $uuid);
		}
	}
	return scalar(keys %found);
}

sql('CREATE EXTENSION pk_tracking CASCADE');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

sql('UPDATE pk_tracking.salt SET value = public.gen_random_bytes(32)');
is(link_of($node, 'a', 11), '{}', 'a first hit finds nothing');
is(link_of($node, 'a'), '{11}', 'a second finds the visit');
link_of($node, "b$_", 20 + $_) foreach (1 .. 5);
# read now: the queries' results must not be in the log either
my @secrets = secrets();
is(scalar(@secrets), 7, 'a key and six links');
my @salts = map { pack('H*', $_) } split /\n/, sql("SELECT encode(value, 'hex') FROM pk_tracking.salt");
sql('CHECKPOINT');

# nowhere; the salts, which are in the WAL, show that it would be noticed
my @wal = grep { m{/[0-9A-F]{24}$} } glob($node->data_dir . '/pg_wal/*');
cmp_ok(found_in(\@salts, @wal), '>=', 1, 'what is logged is found in the WAL');
is(found_in(\@secrets, @wal), 0, 'no key, no link in the WAL');
is(found_in(\@secrets, $node->logfile), 0, 'nor in the server log');
like(slurp_file($node->logfile), qr/session_link\(1, 'cookie', 'b5'/, 'which has much');
command_ok([ 'pg_dump', '--no-sync', '-f', "$dir/dump.sql", '-d', $node->connstr('postgres') ], 'dump');
is(found_in(\@secrets, "$dir/dump.sql"), 0, 'nor in the dump');
unlike(slurp_file("$dir/dump.sql"), qr/^COPY pk_tracking\.(link_key|session_link)/m, 'nor an empty table of them');
$node->backup('again');
my @relations = split /\n/, sql(q{SELECT pg_relation_filepath(c.oid) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname ~ '^(link_key|session_link)_[01]'});
is(scalar(@relations), 6, 'two tables of keys, two of links and their indexes');
is(scalar(grep { -s $node->backup_dir . "/again/$_" } @relations), 0, 'nor in a base backup');

# the standby: nothing, and no error
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(link_of($standby, 'a'), '', 'the standby finds nothing');
is($standby->safe_psql('postgres', "SELECT string_agg(kind, ',' ORDER BY kind) FROM pk_tracking.secrets"),
	'erasure salt,instance salt,lock salt,user id salt', 'and knows of no key');
is(scalar(grep { -s $standby->data_dir . "/$_" } @relations), 0, 'nor has its files');
is(sql("SELECT count(*) FROM pk_tracking.secrets WHERE kind = 'link key' AND destroyed IS NULL"), 1, 'the primary does');

my @used = split /\n/, sql(q{SELECT pg_relation_filepath(c.oid) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname ~ '^(link_key|session_link)_0'});
is(scalar(grep { -s $node->data_dir . "/$_" } @used), 3, 'files with something in them');

# destruction is recorded, and the record gets there
sql("BEGIN; SELECT pk_tracking.destroy_expired_links('2026-01-05 11:30+00'); ROLLBACK");
is(link_of($node, 'a'), '{11}', 'a destruction rolled back');
is(sql("SELECT pk_tracking.destroy_expired_links('2026-01-05 11:30+00')"), 2, 'destroyed');
is(scalar(grep { -s $node->data_dir . "/$_" } @used), 0, 'the old files are empty or gone');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', "SELECT destroyed AT TIME ZONE 'UTC' FROM pk_tracking.secrets WHERE kind = 'link key'"),
	'2026-01-05 11:30:00', 'the standby knows when');

# a crash: keys and links vanish together, and what comes then is new
link_of($node, 'a', 11);
is(link_of($node, 'a'), '{11}', 'linked again');
sql('CHECKPOINT');
$node->stop('immediate');
$node->start;
is(sql('SELECT (SELECT count(*) FROM pk_tracking.link_key_0) + (SELECT count(*) FROM pk_tracking.session_link_0)'), 0, 'empty after a crash');
is(link_of($node, 'a'), '', 'no key');
is(link_of($node, 'a', 12), '{}', 'the session is another one');
is(link_of($node, 'a'), '{12}', 'which goes on');
$standby->promote;
is(link_of($standby, 'a', 13), '{}', 'after a failover, too');
is(link_of($standby, 'a'), '{13}', 'which goes on');
$standby->stop;
$node->stop;

done_testing();
