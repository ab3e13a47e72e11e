# Erased is erased: of people who were forgotten nothing is left in any file of the data
# directory, nor on a standby, once VACUUM and erase_pages() have been there and the WAL
# is written anew.  The same search finds them before, after the DELETE, and after a plain
# VACUUM, or it would prove nothing.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1);
use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# as doc/privacy.md, "Statements and the server's log", advises
my $conf = q(
log_statement = none
log_duration = off
log_min_duration_statement = -1
log_parameter_max_length = 0
autovacuum = off
max_wal_size = 8MB
min_wal_size = 2MB
wal_keep_size = 0
);
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1, extra => [ '--locale=C', '--encoding=UTF8', '--data-checksums', '--wal-segsize=1' ]);
$node->append_conf('postgresql.conf', $conf);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	CREATE EXTENSION amcheck;
	CREATE EXTENSION pk_tracking;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('shop', '{https://a.example}');
	SELECT pk_tracking.set_instance('new_names_per_day', '0');
	SELECT pk_tracking.set_site(1, 'trust_visitors_cookies', 'on');
	SELECT pk_tracking.add_dimension(1, 'd' || i, 'visit') FROM generate_series(1, 12) i;
	SELECT pk_tracking.add_goal(1, 'all', 'url', 'a.example', 'contains');
});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

# ---- people -----------------------------------------------------------------------
# Those who go: one with 1,000 visits, 400 whose user ids stand side by side in the index,
# so that pages of it are emptied and deleted, and some without a user id.  Those who stay
# come before, between and after.
my @gone = ({ name => 'm0000', visits => 1000 });
push @gone, map { { name => sprintf('m%04d', $_), visits => 1 } } 1 .. 400;
push @gone, map { { name => sprintf('k%04d', $_), visits => 2, cookie => 1 } } 1 .. 60;
my @stay = map { { name => sprintf('%s%04d', ('a', 'l', 'm9', 'z')[ $_ % 4 ], $_), visits => 1 } } 1 .. 400;
my $people = 0;
foreach (@gone, @stay)
{
	my $hex = md5_hex("erased $_->{name}");
	$_->{number} = $people++;
	$_->{user} = "$_->{name}-$hex\@person.example";
	$_->{id} = $_->{cookie} ? substr($hex, 3, 16) : unpack('H*', substr(sha1($_->{user}), 0, 8));
	$_->{order} = 'ORDER-' . substr($hex, 5, 12);
	$_->{mail} = substr($hex, 2, 14) . 'q@mail.example';
	$_->{title} = 'Title-' . substr($hex, 1, 15);
	# so long that it is stored outside of its row, and hardly compressible
	$_->{long} = [ map { my $d = $_; join('', map { md5_hex("$hex $d $_") } 1 .. 7) } 1 .. 12 ] if $_->{name} =~ /^m00[0-3]/ || $_->{name} eq 'l0001';
}

# rows of VALUES: a hit each, in an order that splits pages everywhere
sub hits
{
	my @hits;
	foreach my $p (@_)
	{
		# a network of its own, so that nobody is joined by the fingerprint
		my $ip = join('.', 20 + int($p->{number} / 250), $p->{number} % 250, 1, 1);
		foreach my $n (1 .. $p->{visits})
		{
			my $who = $p->{cookie} ? "_id=$p->{id}" : "uid=$p->{user}";
			$who .= join('', map { "&dimension$_=$p->{long}[$_ - 1]" } 1 .. 12) if defined $p->{long} && $n < 3;
			push @hits, "'$ip idsite=1&rec=1&new_visit=1&$who&action_name=$p->{title}&url=https://a.example/?mail=$p->{mail}'";
			push @hits, "'$ip idsite=1&rec=1&$who&idgoal=0&ec_id=$p->{order}&revenue=5&ec_items=[[\"s\",\"n\",\"c\",1,1]]'" if $n == 1;
			push @hits, "'$ip idsite=1&rec=1&$who&action_name=$p->{title}&url=https://a.example/more?mail=$p->{mail}'" if $n % 3 == 1;
		}
	}
	return map { $_->[1] } sort { $a->[0] cmp $b->[0] } map { [ md5_hex($_ . $hits[$_]), $hits[$_] ] } 0 .. $#hits;
}

sub track
{
	my @hits = hits(@_);
	while (my @some = splice(@hits, 0, 500))
	{
		$node->safe_psql('postgres', 'SELECT count(t.outcome) FROM unnest(ARRAY[' . join(', ', @some)
			. "]) q, LATERAL pk_tracking.track_request(split_part(q, ' ', 2), split_part(q, ' ', 1)::inet, 'agent', 'de') t");
	}
	return;
}

# kind of what is searched for => needles
sub needles
{
	my ($p) = @_;
	my $id = pack('H*', $p->{id});
	return (
		($p->{cookie} ? 'cookie' : 'hash of user id') => [ $id, scalar reverse($id), $p->{id} ],
		$p->{cookie} ? () : ('user id' => [ $p->{user} ]),
		'order id' => [ $p->{order} ],
		'address in a URL' => [ $p->{mail} ],
		'title' => [ $p->{title} ],
		defined $p->{long} ? ('long row' => [ map { substr($_, 10, 64) } @{ $p->{long} } ]) : ());
}
my @kinds = ('user id', 'hash of user id', 'cookie', 'order id', 'address in a URL', 'title', 'long row');

# kind of file => kind of needle => how many of them are found there
sub search
{
	my ($server, @people) = @_;
	my %kind;
	foreach my $p (@people)
	{
		my %n = needles($p);
		foreach my $kind (keys %n) { $kind{$_} = $kind foreach @{ $n{$kind} }; }
	}
	my $any = join('|', map { quotemeta } sort keys %kind);
	my $regex = qr/($any)/;
	my %relation = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
		"SELECT pg_relation_filenode(oid), CASE relkind WHEN 'i' THEN 'index' WHEN 't' THEN 'TOAST' ELSE 'heap' END || ' ' || oid::regclass FROM pg_class WHERE relkind IN ('r', 'i', 't') AND pg_relation_filenode(oid) IS NOT NULL");
	my %found;
	my @files;
	find(sub { push @files, $File::Find::name if -f $_ }, $server->data_dir);
	foreach my $file (@files, $server->logfile)
	{
		open(my $fh, '<:raw', $file) or next;    # a file may be gone
		local $/ = undef;
		my $content = <$fh>;
		close($fh);
		next if !defined $content;
		my $where = $file =~ m{/pg_wal/} ? 'WAL' : $file =~ m{/base/\d+/(\d+)} && $relation{$1} ? $relation{$1} : $file;
		$found{$where}{ $kind{$1} }{$1}++ while $content =~ /$regex/g;
	}
	return \%found;
}

sub told
{
	my ($found, $but) = @_;
	return join("\n", map { my $w = $_; map { "$w: $_ (" . scalar(keys %{ $found->{$w}{$_} }) . ')' } sort keys %{ $found->{$w} } }
		grep { !defined $but || $_ !~ $but } sort keys %$found);
}

sub checkpoint { $node->safe_psql('postgres', 'CHECKPOINT'); return; }

sub amcheck
{
	my ($server) = @_;
	return $server->safe_psql('postgres', q{
		SELECT string_agg(c.oid::regclass || ': ' || h.msg, '; ') FROM pg_class c, LATERAL verify_heapam(c.oid) h
			WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p';
		SELECT string_agg(bt_index_} . ($server == $node ? 'parent_' : '') . q{check(i.indexrelid, true)::text, '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
			WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND c.relnamespace IN ('pk_tracking'::regnamespace, 'pg_toast'::regnamespace);
	});
}

my @tables = split /\n/, $node->safe_psql('postgres', 'SELECT t::regclass FROM pk_tracking_internal.erasable_tables() t');
my $tables = join(', ', @tables);

# ---- before ------------------------------------------------------------------------
is(told(search($node, @gone)), '', 'nobody is found by chance');
track(@gone, @stay);
$node->safe_psql('postgres', "ANALYZE $tables");
checkpoint();
my $found = search($node, @gone);
my %kinds = map { map { $_ => 1 } keys %{ $found->{$_} } } keys %$found;
is(join(', ', grep { $kinds{$_} } @kinds), join(', ', @kinds), 'found while they are in the log');
foreach ('heap pk_tracking.log_visit', 'heap pk_tracking.log_action', 'index pk_tracking.log_visit_user_id', 'index pk_tracking.log_visit_idvisitor',
	'index pk_tracking.log_conversion_idorder', 'WAL')
{
	ok($found->{$_}, "in $_");
}
ok((grep { /^TOAST/ } keys %$found), 'in a TOAST table');
is((grep { /pg_statistic/ } keys %$found), 0, 'not in statistics');

# ---- forgotten -----------------------------------------------------------------------
sub rows { return $node->safe_psql('postgres', join(' UNION ALL ', map { "SELECT md5(string_agg(r::text, '|' ORDER BY r::text)) FROM $_ r WHERE " . (/action$/ && !/link/ ? 'EXISTS (SELECT FROM pk_tracking.log_link_visit_action l WHERE idaction IN (l.idaction_url, l.idaction_name))' : 'true') } grep { !/swept|rollup|other_id/ } @tables)); }
sub reports { return $node->safe_psql('postgres', q{SELECT md5(string_agg(r::text, '|')) FROM pk_tracking.report_visits(1, current_date - 1, current_date + 1) r UNION ALL SELECT md5(string_agg(r::text, '|')) FROM pk_tracking.report_pages(1, current_date - 1, current_date + 1) r}); }

foreach my $p (@gone)
{
	my $key = $p->{cookie} ? "visitor_id => '$p->{id}'" : "user_id => '$p->{user}'";
	$p->{sql} = "SELECT sum(n) FROM (SELECT count(*) AS n FROM pk_tracking.forget_subject(1, $key)) f;";
}
$node->safe_psql('postgres', join("\n", map { $_->{sql} } @gone));
$node->safe_psql('postgres', 'CALL pk_tracking.sweep_names()');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT user_id), bool_and(user_id IS NOT NULL) FROM pk_tracking.log_visit'), @stay . '|t', 'only those who stay are in the log');
my ($rows, $reports) = (rows(), reports());
checkpoint();
my $deleted = search($node, @gone);
%kinds = map { map { $_ => 1 } keys %{ $deleted->{$_} } } grep { $_ ne 'WAL' } keys %$deleted;
is(join(', ', grep { $kinds{$_} } @kinds), join(', ', @kinds), 'still found after the DELETE');

# all this has been the work of few rows: VACUUM would pass the indexes over, with more
# rows that stay; it leaves the bytes anyway
$node->safe_psql('postgres', "VACUUM $tables");
checkpoint();
my $vacuumed = search($node, @gone);
%kinds = map { map { $_ => 1 } keys %{ $vacuumed->{$_} } } grep { $_ ne 'WAL' } keys %$vacuumed;
is(join(', ', grep { $kinds{$_} } @kinds), join(', ', @kinds), 'still found after a plain VACUUM');

sub status { return $node->safe_psql('postgres', "SELECT item, value, remark FROM pk_tracking.status() WHERE item ~ 'erased' ORDER BY 1"); }

# ---- the register says what is due ------------------------------------------------------
sub entries { return $node->safe_psql('postgres', 'SELECT count(*) = count(e.vacuumed_at), count(*) = count(e.scrubbed_at), count(*) = count(e.scrubbed_lsn), count(*) = count(e.wal_recycled_at) FROM pk_tracking.erasures e'); }
sub maintain { return $node->safe_psql('postgres', "SELECT m.done FROM pk_tracking.maintain() m WHERE m.task = 'pages with erased rows overwritten'"); }

is(entries(), 'f|f|f|f', 'the register has none as clean');
like(status(), qr/^erased rows of pk_tracking.log_visit\|are in the files\|VACUUM \(INDEX_CLEANUP ON\) pk_tracking.log_visit;/m, 'status() says what to do');

# somebody deletes behind this: a row that VACUUM has not been to yet
$node->safe_psql('postgres', "SELECT pk_tracking.forget_subject(1, user_id => '$stay[0]{user}')");
push @gone, shift @stay;
$node->safe_psql('postgres', 'CALL pk_tracking.sweep_names()');
($rows, $reports) = (rows(), reports());
cmp_ok(maintain(), '>', 0, 'maintain() overwrites what VACUUM has left');
is(entries(), 'f|f|f|f', 'but not all is clean');
like(status(), qr/^erased rows of pk_tracking.log_visit\|wait for VACUUM in \d+ pages\|VACUUM/m, 'status() tells for what it waits');
is(maintain(), 0, 'and maintain() waits');

# ---- overwritten ---------------------------------------------------------------------
$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON, ANALYZE) $tables");
cmp_ok(maintain(), '>', 0, 'after VACUUM it goes on');
is(maintain(), 0, 'and there is nothing left to do');
is(entries(), 't|t|t|f', 'the register has all as clean, but for the WAL');
like(status(), qr/\AWAL with erased rows\|of \d+ erasures, from before [0-9A-F\/]+\|goes with checkpoints to come\z/, 'status() has only the WAL');
checkpoint();
$found = search($node, @gone);
is(told($found, qr/^WAL$/), '', 'gone from heaps, TOAST, indexes and statistics');
ok($found->{WAL}, 'but not from the WAL');
is(amcheck($node), "\n", 'amcheck finds nothing');
is(rows(), $rows, 'other rows are the same');
is(reports(), $reports, 'reports are the same');
is($node->safe_psql('postgres', "SELECT sum(e.pages_written), sum(e.pages_read) > 100 FROM unnest('{" . join(',', @tables) . "}'::regclass[]) t, LATERAL pk_tracking.erase_pages(t) e"),
	'0|t', 'pages that are clean are read only');

# ---- the standby --------------------------------------------------------------------
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
$standby->safe_psql('postgres', 'CHECKPOINT');
is(told(search($standby, @gone), qr/^WAL$/), '', 'gone on a standby');
is(amcheck($standby), "\n", 'amcheck finds nothing there');
my ($code, $out, $err) = $standby->psql('postgres', 'SELECT pk_tracking.erase_pages()');
like($err, qr/cannot overwrite pages on a standby/, 'it is done on the primary');

# ---- the WAL -------------------------------------------------------------------------
$node->safe_psql('postgres', "SELECT pg_create_physical_replication_slot('kept', true)");
$node->safe_psql('postgres', 'SELECT pg_switch_wal(); CHECKPOINT');
like(status(), qr/\AWAL with erased rows/, 'a switch of the WAL is not enough');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('kept')");
for (1 .. 12)
{
	# switches write a few pages of a file, so fill some
	$node->safe_psql('postgres', 'SELECT pg_logical_emit_message(false, $$fill$$, repeat($$-$$, 500000)) FROM generate_series(1, 4); SELECT pg_switch_wal()');
	# before the primary has no longer what the standby needs
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	checkpoint();
	$standby->safe_psql('postgres', 'CHECKPOINT');
	maintain();
	last if entries() eq 't|t|t|t';
}
is(entries(), 't|t|t|t', 'the register says that the WAL is written anew');
is(status(), '', 'status() has nothing left');
is(told(search($node, @gone)), '', 'gone from every file');
is(told(search($standby, @gone)), '', 'gone from every file of the standby');

# ---- who may -------------------------------------------------------------------------
$node->safe_psql('postgres', 'CREATE ROLE web LOGIN; SELECT pk_tracking.grant_tracker($$web$$); CREATE TABLE theirs (); CREATE ROLE owner LOGIN; SELECT pk_tracking.grant_owner($$owner$$);
	GRANT ALL ON pk_tracking.page_erasure, pk_tracking.erasures, pk_tracking.log_visit TO owner');
foreach ([ 'web', 'pk_tracking.log_visit', qr/permission denied for function erase_pages/ ], [ 'owner', 'theirs', qr/must be owner of table theirs/ ],
	[ 'postgres', 'pg_class', qr/cannot overwrite pages of relation "pg_class"/ ], [ 'postgres', 'pk_tracking.visit', qr/cannot overwrite pages of relation "visit"/ ],
	[ 'postgres', 'pk_tracking.log_visit_pkey', qr/cannot overwrite pages of relation "log_visit_pkey"/ ])
{
	my ($role, $relation, $error) = @$_;
	($code, $out, $err) = $node->psql('postgres', "SET ROLE $role; SELECT pk_tracking.erase_pages('$relation')");
	like($err, $error, "$role may not overwrite $relation");
}
$node->stop;
$standby->stop;
done_testing();
