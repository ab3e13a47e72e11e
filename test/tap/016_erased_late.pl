# What erase_pages() cannot overwrite at once: keys of an index page that VACUUM has emptied
# and cannot delete, keys whose page has no room for another, and roll-ups that are yet to be
# built anew.  The register says that all is overwritten when nothing is left, and not
# before; status() tells what to do.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => [ '--locale=C', '--encoding=UTF8', '--data-checksums' ]);
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_duration_statement = -1\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	CREATE EXTENSION amcheck;
	CREATE EXTENSION pageinspect;
	CREATE EXTENSION pk_tracking;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('shop', '{https://a.example}');
	SELECT pk_tracking.set_instance('new_names_per_day', '0');
	-- an index of three levels, of few rows
	ALTER INDEX pk_tracking.log_visit_user_id SET (fillfactor = 10);
});
my $index = 'pk_tracking.log_visit_user_id';
my @tables = split /\n/, $node->safe_psql('postgres', 'SELECT t::regclass FROM pk_tracking_internal.erasable_tables() t');
my $tables = join(', ', @tables);

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub vacuum { return sql("VACUUM (INDEX_CLEANUP ON) $tables"); }
sub maintain { return sql('SELECT count(*) FROM pk_tracking.maintain()'); }
sub overwritten { return sql('SELECT count(*) = count(e.scrubbed_at) FROM pk_tracking.erasures e'); }
sub status { return sql("SELECT s.item, s.value, s.remark FROM pk_tracking.status() s WHERE s.item ~ '^erased' ORDER BY 1"); }

# kinds of files in which one of the needles is
sub found
{
	my $regex = join('|', map { quotemeta } @_);
	my %relation = map { split /\|/ } split /\n/, sql('SELECT pg_relation_filenode(c.oid), c.oid::regclass FROM pg_class c WHERE pg_relation_filenode(c.oid) IS NOT NULL');
	my %found;
	sql('CHECKPOINT');
	find(sub {
		return if !-f $_ || $File::Find::name =~ m{/pg_wal/};
		open(my $fh, '<:raw', $_) or return;
		local $/ = undef;
		my $content = <$fh> // '';
		my $where = /^(\d+)/ && $relation{$1} ? $relation{$1} : $File::Find::name;
		$found{$where}++ if $content =~ /$regex/;
	}, $node->data_dir);
	return join(' ', sort keys %found);
}

# ---- index pages ---------------------------------------------------------------------
# User ids in ascending order; every fourth is short.
my $number = 0;
sub user_id { my ($n, $short) = @_; return "u$n-" . ($short ? '' : join('', map { md5_hex("$n $_") } 1 .. 5)); }
sub track
{
	my @q = map { my $ip = join('.', 20 + int($number / 250), $number % 250, 1, 1); $number++; "('idsite=1&rec=1&url=https://a.example/&uid=$_', '$ip')" } @_;
	is(sql('SELECT count(*) FROM (VALUES ' . join(', ', @q) . ") q (query, ip), LATERAL pk_tracking.track_request(q.query, q.ip::inet, 'agent', 'de') t WHERE t.outcome = 'recorded'"),
		scalar(@q), scalar(@q) . ' visits');
	return;
}
sub forget
{
	is(sql(join('', map { "SELECT f.rows > 0 FROM pk_tracking.forget_subject(1, user_id => '$_') f WHERE f.relation = 'log_visit';" } @_)), join("\n", ('t') x @_), 'forgotten');
	sql('CALL pk_tracking.sweep_names()');
	return;
}
track(map { user_id(sprintf('%05d', $_), $_ % 4 == 0) } 1 .. 2000);
my ($level, $root) = split /\|/, sql("SELECT level, root FROM bt_metap('$index')");
cmp_ok($level, '>=', 2, 'the index has pages above the pages above its leaves');
sub links { return split /\n/, sql("SELECT split_part(ltrim(i.ctid::text, '('), ',', 1) FROM bt_page_items('$index', $_[0]) i WHERE i.itemoffset > (SELECT (s.btpo_next <> 0)::int FROM bt_page_stats('$index', $_[0]) s) ORDER BY i.itemoffset"); }
# user ids of the rows of a leaf
sub leaf { return split /\n/, sql("SELECT v.user_id FROM bt_page_items('$index', $_[0]) i JOIN pk_tracking.log_visit v ON v.ctid = i.ctid WHERE i.itemoffset > (SELECT (s.btpo_next <> 0)::int FROM bt_page_stats('$index', $_[0]) s) ORDER BY i.itemoffset"); }

my $above = (links($root))[0];
my @leaves = links($above);
# between a long id and a short one
my ($full) = grep { my @left = leaf($leaves[$_]); my @right = leaf($leaves[ $_ + 1 ]); length($left[-1]) > 100 && length($right[0]) < 20 } 1 .. $#leaves - 5;
isnt($full, undef, 'a short key between pages, after a long row');
my @emptied = leaf($leaves[-1]);
# and whose key is between it and the page on its right
push @emptied, (leaf(sql("SELECT s.btpo_next FROM bt_page_stats('$index', $leaves[-1]) s")))[0];
my @gone = ((leaf($leaves[ $full + 1 ]))[0], @emptied);
my ($first) = grep { length($_) < 20 } leaf($leaves[$full]);
# rows of 100 bytes take 124
my $room = sql("SELECT (s.free_size - 10) / 124 FROM bt_page_stats('$index', $leaves[$full]) s");
track(map { substr("$first-" . sprintf('%03d', $_) . 'x' x 100, 0, 100) } 1 .. $room) if $room > 0;
is(sql("SELECT s.free_size < 150 AND s.btpo_next = $leaves[$full + 1] FROM bt_page_stats('$index', $leaves[$full]) s"), 't', 'that page is full, and not split');

forget($gone[0]);
vacuum();
maintain();
like(found($gone[0]), qr/\A$index\z/, 'no room for another key: it is found in the index alone');
is(overwritten(), 'f', 'the register does not have it as overwritten');
is(status(), "erased rows of pk_tracking.log_visit|have left keys in an index|REINDEX INDEX CONCURRENTLY $index", 'status() tells what to do');
is(sql('SELECT bool_and(e.vacuumed_at IS NOT NULL) FROM pk_tracking.erasures e'), 't', 'no VACUUM is due');
sql("SELECT bt_index_parent_check('$index', true)");

# room comes: it is tried anew after a while
forget(map { (leaf($leaves[$full]))[$_] } 3 .. 8);
vacuum();
maintain();
is(found($gone[0]), '', 'with room it is overwritten');
is(overwritten(), 't', 'the register says so');
is(status(), '', 'and status()');
sql("SELECT bt_index_parent_check('$index', true)");

forget(@emptied);
vacuum();
is(sql("SELECT s.live_items || s.type FROM bt_page_stats('$index', $leaves[-1]) s"), '1l', 'a page that VACUUM has emptied and has not deleted');
maintain();
like(found(@emptied), qr/\A$index\z/, 'its key is found in the index alone');
is(overwritten(), 'f', 'the register does not have it as overwritten');
my $status = status();
is($status, "erased rows of pk_tracking.log_visit|have left keys in an index|REINDEX INDEX CONCURRENTLY $index", 'status() tells what to do');
sql((split /\|/, $status)[2]);
maintain();
is(found(@gone), '', 'after it nothing is left');
is(overwritten(), 't', 'the register says so');
is(status(), '', 'and status()');
sql("SELECT bt_index_parent_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indrelid = 'pk_tracking.log_visit'::regclass");

# ---- roll-ups ------------------------------------------------------------------------
# A campaign's keyword that names a person, of two days ago.
my $word = 'w' . md5_hex('word') . '@person.example';
my $stays = 'w' . md5_hex('stays') . '@person.example';
sql("SELECT count(*) FROM (VALUES ('who', '$word', '7.1.1.1'), ('other', '$stays', '7.1.2.1')) q (uid, word, ip),
	LATERAL pk_tracking.track_request('idsite=1&rec=1&uid=' || q.uid || '&url=https://a.example/?mtm_campaign=mail%26mtm_kwd=' || q.word, q.ip::inet, 'agent', 'de') t");
foreach ('log_visit|visit_first_action_time', 'log_visit|visit_last_action_time', 'log_link_visit_action|server_time')
{
	my ($table, $column) = split /\|/;
	sql("UPDATE pk_tracking.$table SET $column = $column - interval '2 days' WHERE idvisit IN (SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.user_id IN ('who', 'other'))");
}
maintain();
like(found($word), qr/pk_tracking\.rollup_visit\b/, 'a keyword in roll-ups');
sub reports { return sql('SELECT md5(string_agg(r::text, $$|$$ ORDER BY r::text)) FROM pk_tracking.report_campaigns(1, current_date - 3, current_date) r'); }
forget('who');
vacuum();
maintain();
like(found($word), qr/\Apk_tracking\.rollup_visit\z/, 'after VACUUM and maintain() it is left in roll-ups alone');
is(overwritten(), 'f', 'the register does not have it as overwritten');
like(status(), qr/^erased rows of pk_tracking.rollup_visit\|/m, 'status() has it');
my $reports = reports();
vacuum();
maintain();
is(found($word), '', 'after another VACUUM and maintain() nothing is left');
is(overwritten(), 't', 'the register says so');
is(status(), '', 'and status()');
like(found($stays), qr/pk_tracking\.rollup_visit\b/, 'of others it is there');
is(reports(), $reports, 'the reports are the same');

# a day that is marked, and not built anew: erase_pages() alone does not claim it
forget('other');
vacuum();
sql('SELECT count(*) FROM pk_tracking.erase_pages()') for 1 .. 2;
like(found($stays), qr/\Apk_tracking\.rollup_visit\z/, 'as long as roll-ups are not built anew');
is(overwritten(), 'f', 'the register does not have it as overwritten');
like(status(), qr/^erased rows of pk_tracking.rollup_visit\|are counted in roll-ups\|maintain\(\) builds them anew/m, 'status() tells for what it waits');
for (1 .. 2)
{
	maintain();
	vacuum();
}
maintain();
is(found($stays), '', 'then nothing is left');
is(overwritten(), 't', 'the register says so');
$node->stop;
done_testing();
