# Roles that read, or change, some sites only: what a dump and a restore keep of
# them, in plain text and by pg_restore, without owners, without privileges, and
# where a role does not exist; and what DROP OWNED takes away.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

sub sql
{
	my ($db, $sql, @more) = @_;
	return $node->safe_psql($db, $sql, @more);
}

# as_role(DB, ROLE, QUERY): what the role gets, or the first line of its error
sub as_role
{
	my ($db, $role, $query) = @_;
	my ($status, $out, $err) = $node->psql($db, "SET ROLE $role; $query");
	return $status == 0 ? $out : (split /\n/, $err)[0] =~ s/^.*?ERROR:\s*//r;
}

# what each role may do, as it tries it
my $days = "'2026-11-16', '2026-11-17'";
my @roles = ('r_one', 'r_admin', 'r_chief', 'r_all', '"Odd ""role"" {2}"');
my @tries = (
	"SELECT string_agg(DISTINCT idsite::text, ',') FROM pk_tracking.visit",
	"SELECT string_agg(DISTINCT idsite::text, ',') FROM pk_tracking.log_action",
	"SELECT string_agg(DISTINCT idsite::text, ',') FROM pk_tracking.rollup_visit",
	"SELECT count(*) FROM pk_tracking.report_sites($days)",
	"SELECT nb_visits FROM pk_tracking.report_visits(1, $days, 'range')",
	"SELECT nb_visits FROM pk_tracking.report_visits(2, $days, 'range')",
	"SELECT config_id FROM pk_tracking.log_visit",
	"BEGIN; SELECT pk_tracking.set_site(1, 'visit_standard_length', '900'); ROLLBACK",
	"BEGIN; SELECT pk_tracking.set_site(2, 'visit_standard_length', '900'); ROLLBACK",
	"BEGIN; SELECT pk_tracking.set_instance('visit_standard_length', '900'); ROLLBACK",
	"SELECT count(*) > 0 FROM pk_tracking.settings",
	"SELECT count(*) > 0 FROM pk_tracking.status()",
	"SELECT count(*) FROM pk_tracking.salt s WHERE s.value IS NOT NULL");

sub rights
{
	my ($db, @of) = @_;
	my $result = '';
	foreach my $role (@of ? @of : @roles)
	{
		$result .= "$role: $_: " . as_role($db, $role, $_) . "\n" foreach @tries;
	}
	return $result;
}

sub policies
{
	my ($db) = @_;
	return sql($db, q{
		SELECT format('%s %s %s %s %s %s %s', p.polrelid::regclass, p.polname, p.polcmd, p.polpermissive,
			(SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END, ',') FROM unnest(p.polroles) r),
			pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
		FROM pg_policy p
		UNION ALL
		SELECT format('%s %s %s', c.oid::regclass, c.relrowsecurity, c.reloptions) FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1});
}

sub who
{
	my ($db) = @_;
	return sql($db, q{SELECT w.role, w.object, w.columns, w.sites, w.how FROM pk_tracking.who_may_read() w WHERE w.role ~* '^(r_|odd)' ORDER BY 1, 2, 3, 4, 5});
}

sql('postgres', 'CREATE DATABASE log');
sql('postgres', "CREATE ROLE log_owner LOGIN; CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;"
	  . join '', map { "CREATE ROLE $_ LOGIN;" } @roles);
sql('log', 'CREATE EXTENSION pk_tracking CASCADE; SELECT pk_tracking.create_log(\'log_owner\')');
sql('log', q{
	SELECT pk_tracking.add_site('one', '{https://one.example}'), pk_tracking.add_site('two', '{https://two.example}');
	SELECT count(pk_tracking.track(s, 'https://x.example/' || i, ip => '203.0.113.7'::inet + i, user_agent => 'an agent',
		at => timestamptz '2026-11-16 12:00+00' + i * interval '1 min')) FROM unnest('{1,2}'::integer[]) s, generate_series(1, 3 + s) i;
	SELECT pk_tracking.rebuild_rollups(s, '2026-11-01', '2026-11-20') FROM unnest('{1,2}'::integer[]) s;
	SELECT pk_tracking.grant_analyst('r_one', '{1}'), pk_tracking.grant_admin('r_admin', '{1}'), pk_tracking.grant_admin('r_chief'),
		pk_tracking.grant_analyst('r_all'), pk_tracking.grant_analyst('Odd "role" {2}', '{1}');
});
my $rights = rights('log');
my $policies = policies('log');
my $who = who('log');
like($rights, qr/^r_one: SELECT string_agg\(DISTINCT idsite::text, ','\) FROM pk_tracking.visit: 1$/m, 'a role reads its site');
like($rights, qr/^r_one: .*report_visits\(2,.*: site 2 does not exist$/m, 'and no other one');
like($rights, qr/^r_all: .*FROM pk_tracking.visit: 1,2$/m, 'another role reads all');
like($policies, qr/sites_/, 'there are policies');

# dumped by the owner, restored by a superuser
foreach my $way (
	[ 'text', [ 'pg_dump', '--no-sync', '-f', "$dir/log.sql", 'log' ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/log.sql", '-d' ] ],
	[ 'archive', [ 'pg_dump', '--no-sync', '-Fc', '-f', "$dir/log.dump", 'log' ], [ 'pg_restore', '--exit-on-error', "$dir/log.dump", '-d' ] ],
	[ 'parallel', [ 'pg_dump', '--no-sync', '-Fd', '-j2', '-f', "$dir/log.dir", 'log' ], [ 'pg_restore', '--exit-on-error', '-j2', "$dir/log.dir", '-d' ] ],
	[ 'no_owner', [ 'pg_dump', '--no-sync', '-Fc', '-f', "$dir/log2.dump", 'log' ], [ 'pg_restore', '--exit-on-error', '--no-owner', "$dir/log2.dump", '-d' ] ])
{
	my ($name, $dump, $restore) = @$way;
	$node->command_ok($dump, "$name: dump");
	sql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ @$restore, $name ], "$name: restore");
	is(rights($name), $rights, "$name: each role may what it might");
	is(policies($name), $policies, "$name: the policies are the same");
	is(who($name) =~ s/granted by \w+/granted by somebody/gr, $who =~ s/granted by \w+/granted by somebody/gr, "$name: who_may_read() says the same");
	# the limit is known, and another one takes its place
	sql($name, "SELECT pk_tracking.grant_analyst('r_one')");
	is(as_role($name, 'r_one', $tries[0]), '1', "$name: grant_analyst() keeps the limit");
	sql($name, "SELECT pk_tracking.grant_analyst('r_one', '{2}')");
	is(as_role($name, 'r_one', $tries[0]), '2', "$name: and can set another");
}

# without privileges: no grant, and the limit is kept for the next one
sql('postgres', 'CREATE DATABASE no_privileges');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--no-privileges', "$dir/log.dump", '-d', 'no_privileges' ], 'restore without privileges');
like(as_role('no_privileges', 'r_one', $tries[0]), qr/^permission denied/, 'a role may nothing');
sql('no_privileges', "SELECT pk_tracking.grant_analyst('r_one')");
is(as_role('no_privileges', 'r_one', $tries[0]), '1', 'and what it had when it is granted again');

# a member of pg_read_all_data does not dump part of a log unawares
$node->command_fails_like([ 'pg_dump', '--no-sync', '-U', 'reader', '-f', "$dir/reader.sql", '-t', 'pk_tracking.log_visit', 'log' ],
	qr/row-level security|permission denied/, 'pg_dump is refused to a member of pg_read_all_data');
$node->command_ok([ 'pg_dump', '--no-sync', '-U', 'reader', '--enable-row-security', '-f', "$dir/reader.sql", '-t', 'pk_tracking.log_visit', 'log' ],
	'but for --enable-row-security');
my ($copied) = slurp_file("$dir/reader.sql") =~ /^COPY pk_tracking\.log_visit [^\n]*\n(.*?)^\\\.$/ms;
is(scalar(() = ($copied // '') =~ /\n/g), sql('log', 'SELECT count(*) FROM pk_tracking.log_visit'), 'which has all rows');

# a new name, DROP OWNED, REASSIGN OWNED
sql('log', 'ALTER ROLE r_admin RENAME TO r_renamed');
is(rights('log', 'r_renamed') =~ s/r_renamed/r_admin/gr, join('', grep { /^r_admin:/ } split /^/, $rights), 'a role of a new name has what it had');
sql('log', 'ALTER ROLE r_renamed RENAME TO r_admin');
sql('log', 'REASSIGN OWNED BY r_one TO log_owner');
is(rights('log'), $rights, 'REASSIGN OWNED changes nothing');
sql('log', 'DROP OWNED BY r_one');
like(as_role('log', 'r_one', $tries[0]), qr/^permission denied/, 'DROP OWNED takes all away');
is(sql('log', q{SELECT count(*) FROM pg_policy p WHERE 'r_one'::regrole = ANY (p.polroles)}), '0', 'the policies, too');
is(rights('log', grep { $_ ne 'r_one' } @roles), join('', grep { !/^r_one:/ } split /^/, $rights), 'and nothing of others');
foreach my $db (qw(text archive parallel no_owner no_privileges))
{
	sql($db, 'DROP OWNED BY r_one');
}
sql('postgres', 'DROP ROLE r_one');

# where a role does not exist, pg_restore loses all grants of an object on which it has
# one; limits stay, and the grant functions restore the rest
sql('postgres', 'CREATE DATABASE fewer');
$node->command_fails_like([ 'pg_restore', "$dir/log.dump", '-d', 'fewer' ], qr/role "r_one" does not exist/, 'a restore tells of a role that does not exist');
is(policies('fewer'), join("\n", grep { !/ r_one / } split /\n/, $policies), 'the limits of others stay');
sql('fewer', q{SELECT pk_tracking.grant_owner('log_owner'), pk_tracking.grant_admin('r_admin'), pk_tracking.grant_admin('r_chief'), pk_tracking.grant_analyst('r_all'), pk_tracking.grant_analyst('Odd "role" {2}')});
is(rights('fewer', grep { $_ ne 'r_one' } @roles), join('', grep { !/^r_one:/ } split /^/, $rights), 'and they have what they had when they are granted again');
sql('postgres', 'CREATE ROLE r_one');
like(as_role('fewer', 'r_one', $tries[0]), qr/^permission denied/, 'a role that is created later has nothing');

done_testing();
