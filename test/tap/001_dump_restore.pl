# A log outlives its database: dump and restore keep every row, tracking goes
# on, and no salt is in the dump.
use strict;
use warnings;

use FindBin;
use IO::Uncompress::Gunzip qw(gunzip);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $dir = PostgreSQL::Test::Utils::tempdir();

sub sql
{
	my ($db, $sql) = @_;
	return $node->safe_psql($db, $sql);
}

# everything that must be the same after a restore: rows, settings, sequences
sub contents
{
	my ($db) = @_;
	my $result = '';
	foreach my $table (
		qw(site setting goal token custom_dimension segment referrer_list log_visit log_visit_length log_action
		log_link_visit_action log_conversion log_conversion_item log_version
		referrer_spam automation_agent log_excluded log_other_id rollup_mark rollup_site rollup_day rollup_visit
		rollup_fact rollup_times))
	{
		$result .= "$table: "
		  . sql($db, "SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM pk_tracking.$table t")
		  . "\n";
	}
	$result .= sql($db,
		"SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'pk_tracking' ORDER BY 1");
	return $result;
}

sub dump_of
{
	my ($db) = @_;
	my $file = "$dir/$db.sql";
	$node->command_ok([ 'pg_dump', '--no-sync', '-f', $file, $db ], "dump of $db");
	return $file;
}

sub restore
{
	my ($file, $db, $before) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	sql($db, $before) if defined $before;
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $file, $db ],
		"restore into $db");
}

# Is a salt, or its digest, in the dump?
sub without_salts
{
	my ($file, $db, $name) = @_;
	my $text = slurp_file($file);
	my @salts = split /\n/, sql($db, "SELECT encode(s.value, 'hex') FROM pk_tracking.salt s");
	cmp_ok(scalar(@salts), '>=', 2, "$name: there are salts");
	foreach my $t (
		split /\n/,
		sql($db, "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace"
			  . " AND c.relname ~ '^(daily|late)_salt_[0-9]+\$' AND c.relkind = 'r'"))
	{
		push @salts, split /\n/, sql($db,
			"SELECT encode(j.v::bytea, 'hex') FROM pk_tracking.$t d, jsonb_each_text(to_jsonb(d)) AS j(k, v) WHERE j.v LIKE '\\\\x%'");
	}
	cmp_ok(scalar(@salts), '>=', 3, "$name: there are daily ones too");
	foreach my $salt (@salts)
	{
		cmp_ok(length($salt), '>=', 16, "$name: a salt of some length");
		ok(index(lc $text, $salt) < 0, "$name: it is not in the dump");
	}
	unlike($text, qr/^COPY pk_tracking\.\w*salt/m, "$name: nor is any table of salts");
	return;
}

# hits under both rule sets, with settings, a goal, and rows that only an owner writes
my $fill = q{
	SELECT pk_tracking.add_site('piwik', '{https://a.example}', 'Europe/Berlin');
	SELECT pk_tracking.add_site('matomo');
	SELECT pk_tracking.set_instance('ip_mask_level', '2');
	SELECT pk_tracking.set_site(1, 'ip_mask_level', '3');
	SELECT pk_tracking.set_site(2, 'recognition_rules', 'matomo');
	SELECT pk_tracking.add_goal(1, 'thanks', 'url', 'thanks');
	SELECT count(pk_tracking.track(1 + n % 2, 'https://a.example/' || n % 11, 'Ünïcode | tab	' || n % 5,
		ip => '203.0.113.0'::inet + n % 50, user_agent => 'agent ' || n % 3, accept_language => 'de',
		visitor_id => CASE WHEN n % 3 = 0 THEN (n % 20)::bigint::public.hexid END,
		user_id => CASE WHEN n % 7 = 0 THEN 'user ' || n % 4 END,
		at => now() - interval '2 hours' + n * interval '20 s')) FROM generate_series(1, 300) n;
	INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time, consent, location_ip)
		VALUES (1, now(), now(), 2, '0.0.0.0');
	INSERT INTO pk_tracking.log_conversion (idvisit, idsite, idgoal, server_time, revenue) VALUES (1, 1, 1, now(), 12.5);
	INSERT INTO pk_tracking.referrer_spam VALUES ('spam.example');
	INSERT INTO pk_tracking.automation_agent VALUES ('LoadTest');
	INSERT INTO pk_tracking.token (token_hash, name) VALUES (sha256('a token of Matomo''s'), 'kept');
	SELECT pk_tracking.create_token(1, 'made', '2099-01-01');
	SELECT pk_tracking.add_segment(1, 'German phones', 'countryCode==de;deviceType==smartphone');
	SELECT pk_tracking.add_dimension(1, 'plan', 'visit'), pk_tracking.add_dimension(1, 'old', 'action', active => false);
	INSERT INTO pk_tracking.referrer_list (kind, name, host, parameters) VALUES ('search', 'Ours', 'find.example', '{q}');
	SELECT pk_tracking.track(1, urlref => 'http://spam.example/'), pk_tracking.track(1, user_agent => 'Googlebot/2.1');
	INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, idaction_sku, server_time) VALUES (1, 1, 7, now());
};

# what works after a restore
sub goes_on
{
	my ($db, $name) = @_;
	my $visits = sql($db, 'SELECT count(*) FROM pk_tracking.log_visit');
	my $max = sql($db, 'SELECT max(idvisit) FROM pk_tracking.log_visit');

	# the last visit of an id is found, and continued
	my ($idvisit, $site) = split /\|/, sql($db, q{
		INSERT INTO pk_tracking.setting VALUES (NULL, 'visit_standard_length', '86400'), (NULL, 'create_new_visit_after_midnight', 'off');
		SELECT v.idvisit, v.idsite FROM pk_tracking.log_visit v WHERE v.idvisitor = '0000000000000009' ORDER BY v.visit_last_action_time DESC, v.idvisit DESC LIMIT 1});
	is(sql($db, "SELECT t.idvisit, t.reason, t.matched_by FROM pk_tracking.track($site, 'https://a.example/1', visitor_id => '0000000000000009') t"),
		"$idvisit|continue|cookie", "$name: a visit is continued");
	sql($db, q{DELETE FROM pk_tracking.setting WHERE name IN ('visit_standard_length', 'create_new_visit_after_midnight')});

	# sequences go on behind what is there
	cmp_ok(sql($db, "SELECT (pk_tracking.track(1, 'https://a.example/new', cid => 'feedfacecafebeef')).idvisit"),
		'>', $max, "$name: a new visit has a new number");
	is(sql($db, 'SELECT count(*) FROM pk_tracking.log_visit'), $visits + 1, "$name: one visit more");
	is(sql($db, 'SELECT count(*) - count(DISTINCT idlink_va) FROM pk_tracking.log_link_visit_action'), 0, "$name: action ids are unique");
	is(sql($db, 'SELECT count(*) FROM (SELECT FROM pk_tracking.log_action GROUP BY idsite, idaction HAVING count(*) > 1) d'),
		0, "$name: known names are not written again");
	is(sql($db, "SELECT pk_tracking.add_site('third') > 2, pk_tracking.add_goal(1, 'second', 'manually')"), 't|2', "$name: sites and goals are counted on");

	# tokens are good, and tell nothing more than before
	is(sql($db, "SELECT t.outcome, t.outcome_reason FROM unnest(ARRAY['a+token+of+Matomo''s', 'another']) k, pk_tracking.track_request('idsite=1&rec=1&cip=203.0.113.9&token_auth=' || k) t"),
		"recorded|\ninvalid|cip", "$name: tokens are good");

	# what is excluded is, and is counted on
	is(sql($db, "SELECT (pk_tracking.track(1, urlref => 'http://spam.example/')).outcome_reason"), 'referrer_spam', "$name: spam is known");
	is(sql($db, "SELECT hits FROM pk_tracking.excluded WHERE reason = 'referrer_spam'"), 2, "$name: and counted");

	# settings count, and their triggers check
	sql($db, "SELECT pk_tracking.track(1, ip => '203.0.113.77', user_agent => 'after', cid => 'feedfacecafe0001')");
	is(sql($db, "SELECT host(location_ip) FROM pk_tracking.log_visit WHERE idvisitor = 'feedfacecafe0001'"), '203.0.0.0', "$name: the site's mask is in effect");
	my ($code, $out, $err) = $node->psql($db, "INSERT INTO pk_tracking.setting VALUES (NULL, 'no_such', 'x')");
	isnt($code, 0, "$name: an unknown setting is refused");
	($code, $out, $err) = $node->psql($db, "INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time, consent, user_id) VALUES (1, now(), now(), 2, 'jo')");
	like($err, qr/log_visit_anonymous/, "$name: an anonymous row with a user id is refused");
	($code, $out, $err) = $node->psql($db, 'DROP EXTENSION pk_tracking');
	like($err, qr/other objects depend on it/, "$name: the extension is not dropped with a log");
	is(sql($db, 'SELECT pk_tracking.upgrade_log()'), 2, "$name: log version");
	is(sql($db, "SELECT count(*) FROM pk_tracking.status() WHERE item ~ '^salt '"), 4, "$name: salts of its own");
	is(sql($db, 'SELECT count(*) FROM pk_tracking.visit') + 0, sql($db, 'SELECT count(*) FROM pk_tracking.log_visit') + 0, "$name: views");
	return;
}

# 1. a log of the superuser's
$node->safe_psql('postgres', 'CREATE DATABASE one');
sql('one', "CREATE EXTENSION pgcrypto; CREATE EXTENSION pk_tracking; SELECT pk_tracking.create_log(); $fill");
is(sql('one', 'SELECT sum(visit_total_actions) FROM pk_tracking.log_visit WHERE idsite = 1'), 150, 'hits of the one site');
is(sql('one', 'SELECT sum(visit_total_actions) FROM pk_tracking.log_visit WHERE idsite = 2'), 150, 'hits of the other site');
my $before = contents('one');
my $file = dump_of('one');
is(contents('one'), $before, 'a dump changes nothing');
without_salts($file, 'one', 'dump');
restore($file, 'one_again');
is(contents('one_again'), $before, 'every row, setting and sequence is restored');
isnt(sql('one', q{SELECT encode(pk_tracking.export_salt('fingerprint'), 'hex')}),
	sql('one_again', q{SELECT encode(pk_tracking.export_salt('fingerprint'), 'hex')}), 'the copy has salts of its own');
goes_on('one_again', 'restored');

# the same again from the copy, in custom format
$before = contents('one_again');
$node->command_ok([ 'pg_dump', '--no-sync', '-Fc', '-f', "$dir/again.dump", 'one_again' ], 'dump of the copy');
$node->safe_psql('postgres', 'CREATE DATABASE one_third');
$node->command_ok([ 'pg_restore', '-e', '-d', 'one_third', "$dir/again.dump" ], 'restore of the copy');
is(contents('one_third'), $before, 'a copy of the copy');

# salts can be taken along
my $salt = sql('one', q{SELECT encode(pk_tracking.export_salt('fingerprint'), 'hex')});
sql('one_third', "SELECT pk_tracking.import_salt('fingerprint', decode('$salt', 'hex'))");
is(sql('one_third', q{SELECT pk_tracking.fingerprint(1, '203.0.113.77', 'agent')}),
	sql('one', q{SELECT pk_tracking.fingerprint(1, '203.0.113.77', 'agent')}), 'with its salt taken along the copy makes the same fingerprints');

# 2. a log that belongs to another role, and roles that track and read
$node->safe_psql('postgres', 'CREATE ROLE log_owner LOGIN; CREATE ROLE log_tracker LOGIN; CREATE ROLE log_analyst LOGIN; CREATE DATABASE two');
sql('two', q{CREATE EXTENSION pgcrypto; CREATE EXTENSION pk_tracking; SELECT pk_tracking.create_log('log_owner');
	SELECT pk_tracking.grant_tracker('log_tracker'); SELECT pk_tracking.grant_analyst('log_analyst')});
sql('two', "SET ROLE log_owner; $fill");
$before = contents('two');
$file = dump_of('two');
without_salts($file, 'two', 'dump of another role\'s log');
restore($file, 'two_again');
is(contents('two_again'), $before, 'another role\'s log is restored');
is(sql('two_again', q{SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace
	AND c.relname IN ('site', 'setting', 'goal', 'log_visit', 'log_action', 'log_link_visit_action', 'log_conversion', 'log_conversion_item', 'log_version', 'visit', 'action')}),
	'log_owner', 'it still is that role\'s');
goes_on('two_again', 'another role\'s');
is(sql('two_again', q{SET ROLE log_owner; SELECT (pk_tracking.track(1, ip => '203.0.113.77', user_agent => 'owner')).outcome}), 'recorded', 'the owner tracks');
is(sql('two_again', q{SET ROLE log_tracker; SELECT (pk_tracking.track(1, ip => '203.0.113.77', user_agent => 'tracker')).outcome}), 'recorded', 'the tracker tracks');
is(sql('two_again', q{SET ROLE log_analyst; SELECT count(*) > 0 FROM pk_tracking.visit}), 't', 'the analyst reads');

# the owner dumps the log itself
$node->command_ok([ 'pg_dump', '--no-sync', '-U', 'log_owner', '-n', 'pk_tracking', '-a', '-f', "$dir/owner.sql", 'two' ], 'the owner dumps the log');
unlike(slurp_file("$dir/owner.sql"), qr/^COPY pk_tracking\.\w*salt/m, 'without salts');

# 3. the extension in a schema of its own, pgcrypto in another one
$node->safe_psql('postgres', 'CREATE DATABASE three');
sql('three', q{CREATE SCHEMA crypto; CREATE SCHEMA other; CREATE EXTENSION pgcrypto SCHEMA crypto; CREATE EXTENSION pk_tracking SCHEMA other;
	SELECT pk_tracking.create_log('log_owner'); SELECT pk_tracking.grant_tracker('log_tracker')});
(my $fill3 = $fill) =~ s/public\.hexid/other.hexid/g;
sql('three', "SET ROLE log_owner; $fill3");
is(sql('three', 'SELECT sum(visit_total_actions) FROM pk_tracking.log_visit'), 300, 'tracks with the type in another schema');
is(sql('three', q{SET ROLE log_tracker; SET search_path = ''; SELECT (pk_tracking.track(1, 'https://a.example/x', cid => 'feedfacecafe0002', ip => '203.0.113.77')).outcome}),
	'recorded', 'for a tracker without a search_path too');
is(sql('three', q{SELECT count(*) FROM pk_tracking.log_visit WHERE idvisitor::text = 'feedfacecafe0002'}), 1, 'under the ID that it gave');
is(sql('three', q{SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'hexid' AND n.nspname = 'other'}), 1, 'the type stands where it was put');
$before = contents('three');
$file = dump_of('three');
without_salts($file, 'three', 'dump of another schema\'s');
restore($file, 'three_again');
is(contents('three_again'), $before, 'restored with the type in another schema');
is(sql('three_again', q{SELECT t.matched_by FROM pk_tracking.track(1, cid => 'feedfacecafe0002') t}), 'cid', 'tracking goes on there');

# 4. logs of earlier versions, and one of this version: test/upgrade/log-VERSION.sql.gz
foreach my $old (1, 2)
{
	my $db = "version_$old";
	gunzip("$FindBin::RealBin/../upgrade/log-$old.sql.gz" => "$dir/$db.sql") or die "cannot read the log of version $old";
	restore("$dir/$db.sql", $db);
	if ($old < 2)
	{
		my ($code, $out, $err) = $node->psql($db, 'SELECT pk_tracking.track(1)');
		like($err, qr/tracking log has version $old, but this library supports version 2/, "a log of version $old is not written");
	}
	my $rows = sql($db, 'SELECT count(*), md5(string_agg(v::text, chr(10) ORDER BY v.idvisit)) FROM pk_tracking.log_visit v');
	# with another time zone noted no roll-up is read
	my $from_log = $old < 2 ? '' : q{BEGIN; UPDATE pk_tracking.rollup_site SET timezone = 'none';};
	my @reports = (q{SELECT * FROM pk_tracking.report_visits(1, '2026-10-01', '2026-11-29', 'week')},
		q{SELECT * FROM pk_tracking.report_pages(1, '2026-10-23', '2026-11-20') r ORDER BY r.url},
		q{SELECT * FROM pk_tracking.report_countries(1, '2026-11-01', '2026-11-30') r ORDER BY r.country});
	my @answers = map { sql($db, $from_log . $_) } @reports;
	is(sql($db, 'SELECT pk_tracking.upgrade_log()'), 2, "a log of version $old is upgraded");
	is(sql($db, 'SELECT pk_tracking.upgrade_log()'), 2, 'once');
	is(sql($db, 'SELECT count(*), md5(string_agg(v::text, chr(10) ORDER BY v.idvisit)) FROM pk_tracking.log_visit v'), $rows, 'its rows are the same');
	is(sql($db, "SELECT string_agg(r, ', ') FROM unnest(pk_tracking_internal.log_relations()) r WHERE to_regclass('pk_tracking.' || r) IS NULL"), '', 'it has all tables');
	is(sql($db, 'SELECT count(*) FROM pk_tracking.log_other_id o'),
		sql($db, 'SELECT count(DISTINCT (l.idvisit, l.idvisitor::text)) FROM pk_tracking.log_link_visit_action l JOIN pk_tracking.log_visit v USING (idvisit) WHERE l.idvisitor::text <> v.idvisitor::text'),
		'and knows other ids of actions');
	is(join("\n", map { sql($db, $_) } @reports), join("\n", @answers), 'the same reports');
	my $built = sql($db, q{SELECT t.done FROM pk_tracking.maintain() t WHERE t.task ~ 'roll-ups'});
	cmp_ok($built, '>', 50, 'roll-ups are built') if ($old < 2);
	is(sql($db, q{SELECT count(*) > 50 FROM pk_tracking.rollup_day d WHERE d.built IS NOT NULL AND NOT d.stale}), 't', 'and are there');
	is(sql($db, q{SELECT string_agg(DISTINCT s, ', ' ORDER BY s) FROM pk_tracking.rollup_day d, unnest(d.spans_built) s}), 'month, week', 'weeks and months, too');
	is(join("\n", map { sql($db, $_) } @reports), join("\n", @answers), 'the same reports from them');
	is(sql($db, q{SELECT t.outcome FROM pk_tracking.track_request('idsite=1&rec=1&consent=1&_id=00000000000000ab', ip => '203.0.113.7') t}), 'recorded', 'tracking goes on');
}

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|terminated by signal/, 'no crash');

$node->stop;
done_testing();
