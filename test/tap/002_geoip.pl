# GeoIP files: layouts, lists, replaced, missing, truncated and corrupt ones.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $dir;

sub make_files
{
	my ($to) = @_;
	mkdir $to;
	system($^X, "$FindBin::RealBin/../geoip/make.pl", $to) == 0
	  or BAIL_OUT('the GeoIP files could not be made: is libmaxmind-db-writer-perl installed?');
	return;
}
make_files("$dir/geo");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->start;
my $extension = 'CREATE EXTENSION pgcrypto; CREATE EXTENSION pk_tracking';
$node->safe_psql('postgres', $extension);

# One session with these lists; \$D stands for the files' directory.
sub session
{
	my ($city, $asn, $sql, %opt) = @_;
	$sql = "SET pk_tracking.geoip_city_file = '$city';\nSET pk_tracking.geoip_asn_file = '$asn';\n$sql";
	$sql =~ s/\$D/$dir\/geo/g;
	my ($code, $out, $err) = $node->psql($opt{db} // 'postgres', $sql, on_error_stop => 1);
	is($code, 0, 'session ends well') or diag($err);
	$err =~ s/\Q$dir\E\/geo/\$D/g;
	return ($out, $err);
}

sub located
{
	my ($city, $asn, $expected, $name) = @_;
	my @ips = sort keys %$expected;
	my ($out, $err) = session($city, $asn,
		join("\n", map { "SELECT '$_', pk_tracking.geoip('$_');" } @ips));
	is($out, join("\n", map { "$_|$expected->{$_}" } @ips), $name);
	is($err, '', "$name: no warning");
	return;
}

# 1. layouts
my %nested = (
	'203.0.113.1' => '(eu,de,BY,München,48.137430,11.575490,64500,"Example Networks")',
	'::ffff:203.0.113.1' => '(eu,de,BY,München,48.137430,11.575490,64500,"Example Networks")',
	'203.0.113.1/8' => '(eu,de,BY,München,48.137430,11.575490,64500,"Example Networks")',
	'203.0.113.128' => '(,se,,,,,64500,"Example Networks")',
	'203.0.113.255' => '(eu,nl,"North Holland",Amsterdam,0.000000,-180.000000,64500,"Example Networks")',
	'198.51.100.1' => '',
	'198.51.100.17' => "(,gb,Region,\"A\x{ef}\x{bf}\x{bd}\x{ef}\x{bf}\x{bd}(\x{ef}\x{bf}\x{bd}\x{ef}\x{bf}\x{bd}B Stadt\",,,,)",
	'198.51.100.33' => '(,gb,,' . ("\x{c3}\x{9c}" x 127) . ',,,,)',
	'198.51.100.49' => '(,us,,,,,,)',
	'192.0.2.1' => '(,,,,,,4294967295,)',
	'10.0.0.1' => '',
	'0.0.0.0' => '',
	'::' => '',
	'2001:db8::1' => "(eu,fr,IDF,Paris,48.856600,2.352200,64501,\"Beispiel-Netze \x{c3}\x{9c}\")",
	'2001:db8:ffff::1' => "(,,,,,,64501,\"Beispiel-Netze \x{c3}\x{9c}\")",
	'2001:db9::1' => '');
located('$D/city.mmdb', '$D/asn.mmdb', \%nested, 'nested layout');
{
	my %other = %nested;
	s/,de,/,at,/ foreach values %other;
	located('$D/city-24.mmdb', '$D/asn.mmdb', \%other, 'records of 24 bits');
	%other = %nested;
	s/,de,/,ch,/ foreach values %other;
	located('$D/city-32.mmdb', '$D/asn.mmdb', \%other, 'records of 32 bits');
}

my %flat = (
	'203.0.113.1' => '(,jp,Tokyo,Chiyoda,35.500000,139.750000,64502,"Flat Networks")',
	'203.0.113.200' => '(,jp,Tokyo,Chiyoda,35.500000,139.750000,,"no number")',
	'198.51.100.1' => '(,jp,,,,,64503,)',
	'2001:db8::1' => '(sa,br,BA,Salvador,-12.971110,-38.510830,,)',
	'2001:db8:ffff::1' => '(sa,,Bahia,,,,,)',
	'192.0.2.1' => '');
located('$D/flat-ipv4.mmdb, $D/flat-ipv6.mmdb', '$D/flat-asn.mmdb', \%flat, 'flat layout, a file for each family');
located('"$D/flat-ipv6.mmdb","$D/flat-ipv4.mmdb"', '$D/flat-asn.mmdb', \%flat, 'the other way round');
located('$D/flat-ipv4.mmdb,$D/city.mmdb', '', {
	'203.0.113.1' => '(,jp,Tokyo,Chiyoda,35.500000,139.750000,,)',
	'198.51.100.200' => '',
	'2001:db8::1' => '(eu,fr,IDF,Paris,48.856600,2.352200,,)' }, 'the first that knows something answers');
located('$D/flat-asn.mmdb', '$D/flat-asn.mmdb', {
	'203.0.113.1' => '(eu,is,,,,,64502,"Flat Networks")',
	'198.51.100.1' => '(eu,no,,,,,64503,)' }, 'one file in both lists');
located('', '$D/asn.mmdb', { '203.0.113.1' => '(,,,,,,64500,"Example Networks")' }, 'networks only');

# cached or not, in whatever order: the same answers
my ($out, $err) = session('$D/city.mmdb', '$D/asn.mmdb', q{
	CREATE TEMP TABLE a AS SELECT '203.0.113.0'::inet + (n * 97 % 256) AS ip FROM generate_series(1, 3000) n
		UNION ALL SELECT '198.51.100.0'::inet + (n * 31 % 256) FROM generate_series(1, 3000) n
		UNION ALL SELECT '2001:db8::'::inet + n * 7 FROM generate_series(1, 300) n;
	CREATE TEMP TABLE b AS SELECT ip, pk_tracking.geoip(ip)::text AS l FROM a;
	SELECT count(*), count(l), count(DISTINCT (ip, l)) - count(DISTINCT ip), count(DISTINCT l) FROM b;
	SELECT string_agg(DISTINCT (pk_tracking.geoip(ip)).country, ' ') FROM a;});
is($out, "6300|3863|0|7\nde fr gb nl se us", 'the cache changes no answer');

# in a parallel worker
($out, $err) = session('$D/city.mmdb', '$D/asn.mmdb', q{
	CREATE TABLE a AS SELECT '203.0.113.0'::inet + n % 256 AS ip FROM generate_series(1, 100000) n;
	ANALYZE a;
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT (pk_tracking.geoip(ip)).country, count(*) FROM a GROUP BY 1 ORDER BY 1;
	EXPLAIN (COSTS off) SELECT (pk_tracking.geoip(ip)).country, count(*) FROM a GROUP BY 1 ORDER BY 1;});
like($out, qr/^de\|50\d+\nnl\|2\d+\nse\|2\d+\n/, 'in parallel');
like($out, qr/Workers Planned/, 'which it was');

# databases that cannot say everything
$node->safe_psql('postgres', "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'; CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
foreach my $t ([ 'latin', 'M\xfcnchen', 'A??(??B Stadt', '?' ], [ 'ascii', 'M\xc3\xbcnchen', '', '' ])
{
	my ($db, $munich) = @$t;
	$node->safe_psql($db, $extension);
	($out, $err) = session('$D/city.mmdb', '', q{
		SELECT encode(textsend((pk_tracking.geoip('203.0.113.1')).city), 'escape');
		SELECT length(pk_tracking.geoip('198.51.100.17')::text) > 10, length(pk_tracking.geoip('198.51.100.33')::text) > 100;}, db => $db);
	(my $expected = $munich) =~ s/\\x(..)/sprintf('\\%03o', hex $1)/ge;
	is($out, "$expected\nt|t", "$db: texts in the database's encoding");
}

# 2. files that change, in one session
sub cp
{
	my ($from, $to) = @_;
	return "\\! cp '\$D/$from' '\$D/$to.new' && mv '\$D/$to.new' '\$D/$to'\n";
}
my $ask = "SELECT (pk_tracking.geoip('203.0.113.1')).country, (pk_tracking.geoip('203.0.113.1')).asn;\n";
my $files = "SELECT replace(file, '\$D/', ''), kind, type, built > now() - interval '1 hour', age < interval '1 hour', error FROM pk_tracking.geoip_files();\n";

($out, $err) = session('$D/now.mmdb', '$D/nowasn.mmdb',
	$ask . $ask . $files
	  . cp('city.mmdb', 'now.mmdb') . $ask . $files
	  . cp('asn.mmdb', 'nowasn.mmdb') . $ask . $files
	  . cp('city-24.mmdb', 'now.mmdb') . $ask
	  . "BEGIN;\n$ask" . cp('city-32.mmdb', 'now.mmdb') . $ask . "COMMIT;\n$ask");
is($out, join("\n", '|', '|', 'now.mmdb|city||||No such file or directory', 'nowasn.mmdb|asn||||No such file or directory',
	'de|', 'now.mmdb|city|Test-City|t|t|', 'nowasn.mmdb|asn||||No such file or directory',
	'de|64500', 'now.mmdb|city|Test-City|t|t|', 'nowasn.mmdb|asn|Test-ASN|t|t|',
	'at|64500', 'at|64500', 'at|64500', 'ch|64500'), 'files that come, and are replaced');
my @warnings = $err =~ /WARNING:  (.*)/g;
is_deeply(\@warnings, [ map { "could not use GeoIP file \"\$D/$_\": No such file or directory" } 'now.mmdb', 'nowasn.mmdb' ],
	'one warning for each that is missing') or diag($err);

# bad ones
append_to_file("$dir/geo/bad.mmdb", 'no such file' x 100);
append_to_file("$dir/geo/empty.mmdb", '');
my $good = slurp_file("$dir/geo/city.mmdb");
append_to_file("$dir/geo/half.mmdb", substr($good, 0, length($good) / 2));
($out, $err) = session('$D/now.mmdb', '',
	$ask . cp('bad.mmdb', 'now.mmdb') . $ask . $ask . $files
	  . cp('half.mmdb', 'now.mmdb') . $ask . $ask
	  . cp('empty.mmdb', 'now.mmdb') . $ask
	  . "\\! rm \$D/now.mmdb\n" . $ask . $ask . $files
	  . "\\! mkdir \$D/now.mmdb\n" . $ask . "\\! rmdir \$D/now.mmdb\n"
	  . cp('city.mmdb', 'now.mmdb') . $ask . $files);
is($out, join("\n", 'ch|', 'ch|', 'ch|', 'now.mmdb|city|Test-City|t|t|not a valid MaxMind DB file',
	('ch|') x 5, 'now.mmdb|city|Test-City|t|t|No such file or directory', 'ch|', 'de|', 'now.mmdb|city|Test-City|t|t|'),
	'a bad or missing new file keeps the old one');
@warnings = $err =~ /WARNING:  could not use GeoIP file "\$D\/now.mmdb": (.*)\nDETAIL:  The version that was opened before is still used\./g;
is_deeply(\@warnings, [ ('not a valid MaxMind DB file') x 3, 'No such file or directory', 'not a regular file' ], 'one warning each') or diag($err);

# overwritten in place, with the same length: what was checked is no longer there
append_to_file("$dir/geo/same.mmdb", 'x' x length($good));
($out, $err) = session('$D/now.mmdb', '', $ask . "\\! cat '\$D/same.mmdb' 1<>'\$D/now.mmdb'\n" . $ask . cp('city.mmdb', 'now.mmdb') . $ask);
is($out, "de|\n|\nde|", 'a file that is overwritten in place');
like($err, qr/not a valid MaxMind DB file\nDETAIL:  The file is not used to locate addresses\./, 'a warning');

# the parameter changes, and a reload
($out, $err) = session('$D/city.mmdb', '', qq{$ask BEGIN; SET LOCAL pk_tracking.geoip_city_file = '\$D/city-24.mmdb'; $ask SET pk_tracking.geoip_asn_file = '\$D/asn.mmdb'; $ask ROLLBACK; $ask SET pk_tracking.geoip_city_file = '"\$D'; $ask});
is($out, "de|\nat|\nat|64500\nde|\n|", 'a changed parameter counts at once');
like($err, qr/^psql:<stdin>:\d+: WARNING:  invalid list syntax in parameter "pk_tracking.geoip_city_file"$/m, 'a list that cannot be read');
$node->append_conf('postgresql.conf', "pk_tracking.geoip_city_file = '$dir/geo/city.mmdb'");
$node->reload;
is($node->safe_psql('postgres', "SELECT pg_sleep(0.2); SELECT (pk_tracking.geoip('203.0.113.1')).country"), "\nde", 'from postgresql.conf');
$node->safe_psql('postgres', "CREATE ROLE asks; GRANT USAGE ON SCHEMA pk_tracking TO asks; GRANT EXECUTE ON FUNCTION pk_tracking.geoip(inet) TO asks");
is($node->safe_psql('postgres', "SET ROLE asks; SELECT (pk_tracking.geoip('203.0.113.1')).country"), 'de', 'for a role that may not see the parameter');

# 3. replaced again and again while sessions look up
append_to_file("$dir/load.sql", "SELECT 1 / ((pk_tracking.geoip('203.0.113.1')).country = ANY ('{de,at,ch}'))::int;\n");
append_to_file("$dir/load.conf", "pk_tracking.geoip_city_file = '$dir/geo/now.mmdb'\n");
$node->append_conf('postgresql.conf', "pk_tracking.geoip_city_file = '$dir/geo/now.mmdb'");
$node->reload;
my $stop = time() + 4;
my $mover = fork();
if ($mover == 0)
{
	my @source = map { "$dir/geo/$_" } qw(city.mmdb city-24.mmdb city-32.mmdb bad.mmdb);
	for (my $i = 0; time() < $stop; $i++)
	{
		system("cp '$source[$i % 4]' '$dir/geo/moving' && mv '$dir/geo/moving' '$dir/geo/now.mmdb'");
	}
	# not exit(): this is not the test's end
	require POSIX;
	POSIX::_exit(0);
}
# sessions that begin while the bad one is there know nothing yet: start with a good one
$node->command_ok([ 'sh', '-c', "pgbench -n -c 4 -T 3 -f '$dir/load.sql' 'host=" . $node->host . ' port=' . $node->port
	  . " dbname=postgres options=-cclient_min_messages=error' >'$dir/load.out' 2>'$dir/load.err'; grep -E 'actually processed' '$dir/load.out'" ], 'look-ups while the file is replaced');
waitpid($mover, 0);
unlike(slurp_file("$dir/load.err"), qr/server closed|terminat/, 'no session dies');
my $failures = slurp_file("$dir/load.err");
cmp_ok(scalar(() = $failures =~ /aborted/g), '<=', 3, 'and answers throughout') or diag($failures);
system("cp '$dir/geo/city.mmdb' '$dir/geo/moving' && mv '$dir/geo/moving' '$dir/geo/now.mmdb'");
$node->append_conf('postgresql.conf', "pk_tracking.geoip_city_file = ''");
$node->reload;

# 4. truncated and corrupt files: no answer or a wrong one, but no crash.
# Each is opened in turn by one session, and asked for addresses all over.
mkdir "$dir/geo/broken";
my @broken;

sub broken
{
	my ($bytes) = @_;
	my $file = 'broken/' . scalar(@broken) . '.mmdb';
	append_to_file("$dir/geo/$file", $bytes);
	push @broken, $file;
	return;
}

my %source = map { $_ => slurp_file("$dir/geo/$_") } qw(city.mmdb city-24.mmdb city-32.mmdb asn.mmdb flat-ipv4.mmdb flat-ipv6.mmdb);
srand(20260302);
foreach my $name (sort keys %source)
{
	my $bytes = $source{$name};
	my $marker = index($bytes, "\xab\xcd\xefMaxMind.com");

	# cut at the end, at the beginning, in the middle
	broken(substr($bytes, 0, int(length($bytes) * $_ / 12))) foreach (0 .. 11);
	broken(substr($bytes, int(length($bytes) * $_ / 12))) foreach (1 .. 11);
	broken(substr($bytes, 0, $_) . substr($bytes, $marker)) foreach (0, 1, 5, 16, 22, 100, 500, $marker - 1);
	broken(substr($bytes, 0, length($bytes) - $_)) foreach (1 .. 20);
	# bytes changed: anywhere, in the data, in the metadata
	foreach my $i (1 .. 150)
	{
		my $copy = $bytes;
		my ($from, $to) = $i % 3 == 0 ? (0, $marker) : $i % 3 == 1 ? ($marker + 14, length($bytes)) : ($marker / 2, $marker);
		foreach (1 .. 1 + int(rand(1 + $i / 4)))
		{
			substr($copy, $from + int(rand($to - $from)), 1) = chr(rand() < 0.5 ? int(rand(256)) : (0, 255, 0x20, 0x3f, 0xe1, 0xff, 0x5f)[ int(rand(7)) ]);
		}
		broken($copy);
	}
}

# files made byte by byte: one node, whose two records are the value at the data's begin
sub made
{
	my ($data, %meta) = @_;
	my $str = sub { chr(0x40 | length($_[0])) . $_[0] };
	my $metadata = $meta{whole};
	if (!defined $metadata)
	{
		my %m = (
			node_count => "\xc4" . pack('N', $meta{node_count} // 1),
			record_size => "\xa2" . pack('n', $meta{record_size} // 24),
			ip_version => "\xa2" . pack('n', $meta{ip_version} // 4),
			database_type => $meta{database_type} // $str->('Made'),
			languages => $meta{languages} // "\x01\x04" . $str->('en'),
			binary_format_major_version => "\xa2" . pack('n', 2),
			binary_format_minor_version => "\xa2" . pack('n', 0),
			build_epoch => $meta{build_epoch} // "\x08\x02" . pack('Q>', 1700000000),
			description => $meta{description} // "\xe0");
		$metadata = chr(0xe0 | scalar(keys %m)) . join('', map { $str->($_) . $m{$_} } sort keys %m);
	}
	my $record = substr(pack('N', $meta{record} // 17), 1);
	return $record . $record . ("\0" x 16) . $data . "\xab\xcd\xefMaxMind.com" . $metadata;
}
my $us = "\xe1\x4ccountry_code\x42US";
append_to_file("$dir/geo/made.mmdb", made($us));
located('$D/made.mmdb', '', { '1.2.3.4' => '(,us,,,,,,)' }, 'a file made by hand');
append_to_file("$dir/geo/long.mmdb", made("\xe1\x44city\x5e\x03\x00Nowhere"));
located('$D/long.mmdb', '', { '1.2.3.4' => '' }, 'a text that ends behind the file');

my $deep = ("\x01\x04" x 1000000) . "\x40";
my $deep_map = ("\xe1\x40" x 1000000) . "\x40";
# what the library reads of metadata is no longer than 128 kB
my $deep_meta = ("\x01\x04" x 64000) . "\x40";
my $deep_meta_map = ("\xe1\x40" x 64000) . "\x40";
# 400 regions, each with 400 maps of names, each with 400 names
my $many = "\xfe\x00\x73";
my $third = $many . ("\x42en\x41x" x 400);
my $second = $many . (("\x45names\x38" . "\0" x 4) x 400);
my $first = $many . (("\x4csubdivisions\x38" . "\0" x 4) x 400);
$second =~ s/\x38..../"\x38" . pack('N', length($first) + length($second))/gse;
$first =~ s/\x38..../"\x38" . pack('N', length($first))/gse;
foreach my $data (
	"$first$second$third",
	"\xe1\x41x$deep", "\xe1\x41x$deep_map", "\xe1\x47country$deep_map", "\xe1\x4csubdivisions$deep",    # nested
	"\xe1\x47country\x20\x00", "\x20\x00", "\x20\x02\x20\x00", "\xe1\x20\x00\x20\x00",                   # pointers to themselves
	"\xff\xff\xff\xff" . ("\x41a" x 100000), "\x1f\x04\xff\xff\xff" . ("\x41a" x 100000),                # sizes
	"\xe1\x44city\x5f\xff\xff\xff" . ('a' x 1000), "\xe1\x44city\x5f\x00\xff\xff" . ('a' x 200000),
	"\xe1\x44city\x38\xff\xff\xff\xff", "\xe1\x44city\x3f\xff\xff\xff\xff", "\xe1\x44city", "\xe1", '',
	"\xe1\x44city\x00\x00", "\xe1\x44city\x00\xff", "\xe1\x44city\x1f", "\x00", "\x00\x06",
	("\xfe\x10\x00" . ("\x47country\x20\x00" x 400)),                                                    # a record that is its own countries
	"\xe2\x48latitude\x68" . ("\x7f\xf8" . "\0" x 6) . "\x49longitude\x68" . ("\x7f\xf0" . "\0" x 6),    # no numbers
	"\xe1\x43asn\x08\x02" . ("\xff" x 8), "\xe1\x43asn\x50" . ('9' x 16))
{
	broken(made($data));
}
broken(made($us, record => $_)) foreach (0, 1, 2, 15, 16, 18, 30, 255, 0xffffff);
broken(made($us, node_count => $_)) foreach (0, 2, 100, 0x20000000, 0x2aaaaaab, 0x7fffffff, 0x80000001, 0xffffffff);
broken(made($us, ip_version => $_)) foreach (0, 5, 6, 65535);
broken(made($us, record_size => $_)) foreach (0, 1, 8, 28, 32, 64, 65535);
broken(made($us, languages => $_)) foreach ("\x01\x04$deep", $deep_meta, $deep_meta_map, "\x1f\x04\xff\xff\xff", "\x03\x04" . ("\x20\x00" x 3), "\x01\x04\xa1\x05", "\xe0");
broken(made($us, description => $_)) foreach ("\xe1\x40$deep_map", $deep_meta_map, "\xff\xff\xff\xff", "\xe2\x41a\x20\x00\x41b\x20\x00", "\xe1\x20\x00\x20\x00", "\x40", "\xe1\x41a\xa1\x01");
broken(made($us, database_type => $_)) foreach ("\x40", "\x44\xff\xfe\x00a", "\x5f\xff\xff\xff", "\xe0", "\x5e\x01\x00" . ('t' x 600));
broken(made($us, build_epoch => $_)) foreach ("\x08\x02" . ("\xff" x 8), "\x00\x02", "\x40", "\x08\x02\x7f" . ("\xff" x 7));
broken(made($us, whole => $_)) foreach ('', "\xe0", "\x20\x00", $deep_map, $deep_meta_map, "\xe1\x41x$deep_meta", "\xe9" . ("\x40\x40" x 9), "\xe1\x4anode_count\xa1\x01");

my $script = "SET client_min_messages = error;\n"
  . "CREATE TEMP TABLE a AS SELECT '203.0.113.0'::inet + n * 8 AS ip FROM generate_series(0, 31) n UNION ALL SELECT '198.51.100.0'::inet + n * 8 FROM generate_series(0, 31) n"
  . " UNION ALL SELECT '0.0.0.0'::inet + n * 134217728::bigint FROM generate_series(0, 31) n UNION ALL SELECT '2001:db8::'::inet + n FROM generate_series(0, 3) n"
  . " UNION ALL SELECT ('2001:db8:' || to_hex(n * 4095) || '::1')::inet FROM generate_series(0, 16) n UNION ALL SELECT (to_hex(n * 2048) || '::1')::inet FROM generate_series(0, 31) n;\n"
  . join('', map { "SET pk_tracking.geoip_city_file = '\$D/$_'; SET pk_tracking.geoip_asn_file = '\$D/$_'; SELECT 'done', count(pk_tracking.geoip(ip)::text), (SELECT count(type || built::text || age::text || error) FROM pk_tracking.geoip_files()) FROM a;\n" } @broken);
my $before = time();
($out, $err) = session('', '', $script);
is(scalar(() = $out =~ /^done/mg), scalar(@broken), 'every one of ' . scalar(@broken) . ' broken files is survived');
cmp_ok(scalar(() = $out =~ /^done\|[1-9]/mg), '>', 100, 'some still give answers');
cmp_ok(time() - $before, '<', 60, 'none takes long');

# In the engine: as far as the site's settings let the location be known, from
# the full address or the masked one; the row never holds the address.
$node->safe_psql('postgres', "SELECT pk_tracking.create_log(); SELECT pk_tracking.add_site('geo')");

sub tracked
{
	my ($settings, $ip, $expected, $name, $lang) = @_;
	my $lang_sql = defined $lang ? "'$lang'" : 'NULL';
	my ($row) = session('$D/city.mmdb', '$D/asn.mmdb',
		"BEGIN; SET client_min_messages = error;\n"
		  . join('', map { "SELECT FROM pk_tracking.set_site(1, '$_', '$settings->{$_}');\n" } sort keys %$settings)
		  . "SELECT FROM pk_tracking.track(1, 'https://a.example/', ip => '$ip', accept_language => $lang_sql, cid => '00000000000000aa');\n"
		  . "SELECT row(v.location_continent, v.location_country, v.location_region, v.location_city, v.location_latitude,"
		  . " v.location_longitude, v.location_asn, v.location_organisation) FROM pk_tracking.log_visit v"
		  . " WHERE v.idvisitor = '00000000000000aa';\nROLLBACK;");
	$row =~ s/^\n+|\n+$//g;
	is($row, $expected, "tracked: $name");
	return;
}
my $munich = '(eu,de,BY,München,48.137430,11.575490,64500,"Example Networks")';
tracked({}, '203.0.113.1', $munich, 'city');
tracked({ geo_level => 'region' }, '203.0.113.1', '(eu,de,BY,,,,,)', 'region');
tracked({ geo_level => 'country' }, '203.0.113.1', '(eu,de,,,,,,)', 'country');
tracked({ geo_level => 'continent' }, '203.0.113.1', '(eu,,,,,,,)', 'continent');
tracked({ geo_level => 'continent' }, '203.0.113.1', '(eu,,,,,,,)', 'continent, and no guess', 'fr-FR');
tracked({ geo_level => 'none' }, '203.0.113.1', '(,,,,,,,)', 'nothing');
tracked({ geo_ip => 'masked', ip_mask_level => 1 }, '203.0.113.128', $munich, 'masked address is located');
tracked({ geo_ip => 'full', ip_mask_level => 4 }, '203.0.113.1', $munich, 'full address is located, whatever the mask');
tracked({ geo_ip => 'masked', ip_mask_level => 4 }, '203.0.113.1', '(,,,,,,,)', 'masked whole: nothing');
tracked({}, '2001:db8::1', "(eu,fr,IDF,Paris,48.856600,2.352200,64501,\"Beispiel-Netze \x{c3}\x{9c}\")", 'IPv6');
tracked({}, '10.0.0.1', '(,fr,,,,,,)', 'unknown address: country of the language', 'fr-FR');
tracked({}, '192.0.2.1', '(,fr,,,,,4294967295,)', 'network without country: country of the language', 'fr-FR');
tracked({}, '203.0.113.1', $munich, 'the file wins over the language', 'fr-FR');
tracked({ enable_default_location_provider => 'off' }, '10.0.0.1', '(,,,,,,,)', 'no guess', 'fr-FR');

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|terminated by signal|:XX\d\d\d:/, 'no crash');
# (the statements are logged, they are the test's)
unlike(join("\n", grep { !/LOG:  statement:/ && /(WARNING|ERROR|DETAIL|HINT|CONTEXT|LOG): / } split(/\n/, $log)),
	qr/203\.0\.113|2001:db8/, 'no address in any message');

$node->stop;
done_testing();
