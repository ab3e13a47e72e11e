# erase_pages() is killed in the middle, again and again, and runs beside traffic: heaps
# and indexes stay whole, other rows and reports the same, and in the end nothing is left
# of those who were forgotten.  script/test --long: 20 kills, 60 s of traffic.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use File::Find;
use IPC::Run qw(start finish pump timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $long = $ENV{PKT_LONG};
my $kills = $long ? 20 : 4;
my $seconds = $long ? 60 : 0;    # at least so long, and so many hits
my $hits = 300;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => [ '--locale=C', '--encoding=UTF8', '--data-checksums' ]);
$node->append_conf('postgresql.conf', q(
log_statement = none
log_min_duration_statement = -1
autovacuum = off
restart_after_crash = on
));
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	CREATE EXTENSION amcheck;
	CREATE EXTENSION pk_tracking;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('shop', '{https://a.example}');
	SELECT pk_tracking.set_site(1, 'trust_visitors_cookies', 'on');
	SELECT pk_tracking.set_instance('new_names_per_day', '0');
	SELECT pk_tracking.add_goal(1, 'all', 'url', 'a.example', 'contains');
	CREATE FUNCTION visit(n integer) RETURNS bigint LANGUAGE sql AS $$
		SELECT count(*) FROM unnest(ARRAY['url=https://a.example/?mail=' || md5('m' || n) || '@mail.example&action_name=T-' || md5('t' || n),
			'idgoal=0&revenue=1&ec_id=ORDER-' || md5('o' || n) || '&ec_items=[["s","n","c",1,1]]']) q,
			LATERAL pk_tracking.track_request('idsite=1&rec=1&uid=user-' || md5('u' || n) || '@person.example&' || q,
				(20 + n / 250 || '.' || n % 250 || '.1.1')::inet, 'agent', 'de') t
		WHERE t.outcome = 'recorded' $$;
});

my @tables = split /\n/, $node->safe_psql('postgres', 'SELECT t::regclass FROM pk_tracking_internal.erasable_tables() t');
my $tables = join(', ', @tables);

sub forget { return join('', map { sprintf("SELECT count(*) FROM pk_tracking.forget_subject(1, user_id => 'user-%s\@person.example');", md5_hex("u$_")) } @_); }

# people of whom something is in a file other than the WAL
sub found
{
	my %needle;
	foreach my $n (@_)
	{
		$needle{$_} = $n foreach 'user-' . md5_hex("u$n"), md5_hex("m$n") . '@', 'T-' . md5_hex("t$n"), 'ORDER-' . md5_hex("o$n");
	}
	my $regex = qr/((?:user-|T-|ORDER-)[0-9a-f]{32}|[0-9a-f]{32}@)/;
	my %found;
	find(sub {
		return if !-f $_ || $File::Find::name =~ m{/pg_wal/};
		open(my $fh, '<:raw', $_) or return;
		local $/ = undef;
		my $content = <$fh> // '';
		while ($content =~ /$regex/g) { $found{ $needle{$1} }++ if exists $needle{$1}; }
	}, $node->data_dir);
	return scalar(keys %found);
}

sub amcheck
{
	return $node->safe_psql('postgres', q{
		SELECT coalesce(string_agg(c.oid::regclass || ': ' || h.msg, '; '), '') || string_agg(x.checked, '') FROM pg_class c
			LEFT JOIN LATERAL verify_heapam(c.oid) h ON true,
			LATERAL (SELECT string_agg(bt_index_parent_check(i.indexrelid, true)::text, '') AS checked FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
				JOIN pg_am a ON a.oid = x.relam AND a.amname = 'btree' WHERE i.indrelid IN (c.oid, c.reltoastrelid)) x
			WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p'});
}

sub rows { return $node->safe_psql('postgres', join(' UNION ALL ', map { "SELECT md5(string_agg(r::text, '|' ORDER BY r::text)) FROM $_ r" } @tables)); }
sub reports { return $node->safe_psql('postgres', 'SELECT md5(string_agg(r::text, $$|$$)) FROM pk_tracking.report_visits(1, current_date - 1, current_date + 1) r UNION ALL SELECT md5(string_agg(r::text, $$|$$)) FROM pk_tracking.report_pages(1, current_date - 1, current_date + 1) r'); }

# ---- killed ------------------------------------------------------------------------
my $each = 60;
my $everybody = 1000 + $kills * $each;
$node->safe_psql('postgres', "SELECT sum(visit(n)) FROM generate_series(1, $everybody) n");
my @forgotten;
my $resumed = 0;
foreach my $kill (1 .. $kills)
{
	# every seventh of those who are left, so that all pages have holes
	my @now = map { ($_ * 7 + $kill) % $everybody + 1 } ($kill * $each) .. ($kill * $each + $each - 1);
	push @forgotten, @now;
	$node->safe_psql('postgres', forget(@now));
	$node->safe_psql('postgres', 'CALL pk_tracking.sweep_names()');
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $tables");
	my ($rows, $reports) = (rows(), reports());

	# one that goes on in small steps, and is killed on its way
	my ($out, $err) = ('', '');
	my $script = "SELECT 'pid=' || pg_backend_pid() || '.';\n" . join('', map { "SELECT * FROM pk_tracking.erase_pages('$_', 2);\n" } map { ($_) x 40 } @tables);
	my $session = start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$script, '>', \$out, '2>', \$err, timeout(180));
	my $steps = 5 + $kill * 3;
	$session->pump until $out =~ /pid=(\d+)\./ && (() = $out =~ /\n/g) > $steps;
	my ($pid) = $out =~ /pid=(\d+)\./;
	my $before = -s $node->logfile;
	kill('KILL', $pid);
	eval { $session->finish };
	# before the postmaster has seen the crash it would take one more connection, and cut it
	$node->wait_for_log(qr/database system is ready to accept connections/, $before);
	my $member = $node->safe_psql('postgres', 'SELECT count(p.member) FROM pk_tracking.page_erasure p');
	$resumed += $member > 0;
	is(amcheck(), '', "kill $kill: amcheck finds nothing");
	is(rows(), $rows, "kill $kill: the rows are the same");
	is(reports(), $reports, "kill $kill: the reports are the same");
}
cmp_ok($resumed, '>', 0, 'killed in the middle of a table, where the next call goes on');
$node->safe_psql('postgres', 'CHECKPOINT');
cmp_ok(found(@forgotten), '>', 0, 'some are found before the last call');
my $calls = 0;
while ($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.erase_pages(max_pages => 50)') > 0) { last if ++$calls > 500; }
cmp_ok($calls, '>', 3, 'erase_pages() went on until there was nothing left');
$node->safe_psql('postgres', 'CHECKPOINT');
is(found(@forgotten), 0, 'nobody is left in the files');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.erasures e WHERE e.scrubbed_at IS NULL'), 0, 'the register says so');
is(amcheck(), '', 'amcheck finds nothing');

# ---- beside traffic ------------------------------------------------------------------
my $clients = 3;
my @client;
foreach my $c (1 .. $clients)
{
	my ($out, $err) = ('', '');
	# in 60 s nobody takes 6000 numbers, and so no client comes to another's, nor any to
	# networks of search engines (157.54.0.0/15 ..., 173.194.0.0/16)
	my $from = (20000, 27000, 38500)[ $c - 1 ];
	my $script = "SET client_min_messages = warning;\nDO \$\$ DECLARE n integer := 0; recorded bigint := 0; BEGIN\n"
	  . "WHILE n < $hits OR clock_timestamp() < now() + interval '$seconds s' LOOP recorded := recorded + visit($from + n); n := n + 1; COMMIT; PERFORM pg_sleep(0.01); END LOOP;\n"
	  . "IF recorded <> 2 * n THEN RAISE EXCEPTION '% of % hits', recorded, 2 * n; END IF; END \$\$;\nSELECT 'done';\n";
	$script =~ s/now\(\)/'@{[ $node->safe_psql('postgres', 'SELECT now()') ]}'::timestamptz/;
	my %c = (out => \$out, err => \$err, script => $script, from => $from);
	$c{session} = start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$c{script}, '>', \$out, '2>', \$err, timeout(400));
	push @client, \%c;
}
my @gone;
my $rounds = 0;
my $written = 0;
# while they track: of each client some who have come are forgotten
while (grep { ${ $_->{out} } !~ /done/ && ${ $_->{err} } eq '' } @client)
{
	$_->{session}->pump_nb foreach @client;
	my @now = map { my $from = $_->{from}; map { $from + $rounds * 5 + $_ } 0 .. 4 } @client;
	my $there = join(', ', map { "'user-" . md5_hex("u$_") . "\@person.example'" } @now);
	my $come = $node->safe_psql('postgres', "SELECT count(DISTINCT v.user_id) FROM pk_tracking.log_visit v WHERE v.user_id IN ($there)");
	if ($come == @now)
	{
		$rounds++;
		push @gone, @now;
		$node->safe_psql('postgres', forget(@now));
		$node->safe_psql('postgres', 'CALL pk_tracking.sweep_names()');
		$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $tables");
		$written += $node->safe_psql('postgres', "SELECT sum(e.pages_written) FROM unnest('{" . join(',', @tables) . "}'::regclass[]) t, LATERAL pk_tracking.erase_pages(t) e");
	}
	else
	{
		usleep(20_000);
	}
}
foreach (@client)
{
	$_->{session}->finish;
	is(${ $_->{err} }, '', 'every hit beside it was recorded');
}
cmp_ok($rounds, q(>), 0, "rounds of erasures beside the hits: $rounds");
cmp_ok($written, '>', 0, "pages were overwritten beside the hits: $written");
is(amcheck(), '', 'amcheck finds nothing');
# VACUUM and maintain() until the register has all
for (1 .. 5)
{
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $tables");
	$node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.maintain()');
	last if $node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.erasures e WHERE e.scrubbed_at IS NULL') == 0;
}
is($node->safe_psql('postgres', "SELECT item, value, remark FROM pk_tracking.status() WHERE item ~ '^erased'"), '', 'status() has nothing left in the files');
$node->safe_psql('postgres', 'CHECKPOINT');
is(found(@gone), 0, 'nobody is left in the files');
is(amcheck(), '', 'amcheck finds nothing in the end');
$node->stop;
is(system('pg_checksums', '--check', '-D', $node->data_dir), 0, 'checksums of all pages');
done_testing();
