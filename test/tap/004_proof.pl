# Proof on disk: of visitors without consent nothing that names them stands in
# any file of the data directory or in the server log, neither after a clean
# shutdown nor after a crash, before and after recovery.  The same search finds
# those who agreed, or it would prove nothing.
use strict;
use warnings;

use Digest::SHA qw(sha1 sha1_hex);
use File::Find;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $dir;
mkdir "$dir/geo";
system($^X, "$FindBin::RealBin/../geoip/make.pl", "$dir/geo") == 0
  or BAIL_OUT('the GeoIP files could not be made: is libmaxmind-db-writer-perl installed?');

my $node = PostgreSQL::Test::Cluster->new('proof');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
# as doc/privacy.md, "Statements and the server's log", advises; the test
# cluster's own default logs every statement
$node->append_conf('postgresql.conf', qq(
log_statement = none
log_duration = off
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = on
log_temp_files = 0
autovacuum_naptime = 1s
wal_level = logical
pk_tracking.geoip_city_file = '$dir/geo/city.mmdb'
pk_tracking.geoip_asn_file = '$dir/geo/asn.mmdb'
));
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pgcrypto;
	CREATE EXTENSION pk_tracking;
	SELECT pk_tracking.create_log();
	SELECT pk_tracking.add_site('asks', '{https://a.example}');
	SELECT pk_tracking.add_site('stores nothing', '{https://b.example}');
	SELECT pk_tracking.add_dimension(s, 'd', 'visit') FROM generate_series(1, 2) s;
	SELECT pk_tracking.set_instance('ip_mask_level', '0');
	SELECT pk_tracking.set_site(1, 'consent_mode', 'ask_else_anonymous');
	SELECT pk_tracking.set_site(2, 'consent_mode', 'ask_else_nothing');
	SELECT pk_tracking.set_instance('use_third_party_id_cookie', 'on');
});

# ---- people -----------------------------------------------------------------

# The same every time: what happens by chance (salts, random ids) is on the server's side.
my $chance = 0;
sub bytes { my ($n) = @_; return substr(sha1('proof ' . $chance++), 0, $n); }

# ways to be recorded, twice each
my @ways = qw(query track bulk many abort error invalid);
my @people;
foreach my $class (qw(refused undecided granted nothing))
{
	foreach my $way (@ways)
	{
		foreach my $which (0, 1)
		{
			my $v6 = ($chance % 2);
			my $ip = bytes($v6 ? 16 : 4);
			# IPv6 without zeros that texts would leave out; IPv4 of unusual bytes
			$ip = pack('C*', map { 0x91 + $_ % 0x6a } unpack('C*', $ip));
			# no network address, no multicast
			substr($ip, 0, 1) = chr(0x91 + ord($ip) % 0x3e) if !$v6;
			substr($ip, 0, 1) = "\x2a" if $v6;
			my $ip_text = $v6 ? join(':', map { sprintf('%x', $_) } unpack('n8', $ip)) : join('.', unpack('C4', $ip));
			my $hex = unpack('H*', bytes(8));
			push @people, {
				class => $class, way => $way, which => $which, ip => $ip, ip_text => $ip_text, v6 => $v6,
				user => "user-$hex\@person.example", order => "ORDER-" . unpack('H*', bytes(6)), secret => 'sec' . unpack('H*', bytes(6)),
				id => bytes(8), cookie => bytes(8), cookies => [] };
		}
	}
}

# what is searched for of a person: name => byte strings, any of which is a find
sub needles
{
	my ($p) = @_;
	my $hash = sha1($p->{user});
	my %n = (
		'address as text' => [ $p->{ip_text} ],
		# family, length, address: inside of an inet
		'address as datum' => [ $p->{v6} ? "\x03\x80$p->{ip}" : "\x02\x20$p->{ip}" ],
		'address as bytes' => [ $p->{ip}, scalar reverse($p->{ip}) ],
		'user id' => [ $p->{user} ],
		'hash of user id' => [ ids(substr($hash, 0, 8)), $hash, unpack('H*', $hash) ],
		'visitor id' => [ ids($p->{id}) ],
		'session cookie' => [ map { ids($_) } $p->{cookie}, @{ $p->{cookies} } ],
		'order id' => [ $p->{order} ],
		'secret' => [ $p->{secret} ]);
	$n{'fingerprint'} = [ ids($p->{config}) ] if $p->{config};
	return \%n;
}

# eight bytes in either order, and as text
sub ids
{
	my ($id) = @_;
	return ($id, scalar reverse($id), unpack('H*', $id), uc unpack('H*', $id));
}

# which needles are in these files: "class way: name" => number of people
sub find_people
{
	my (@files) = @_;
	my %owner;
	foreach my $p (@people)
	{
		my $n = needles($p);
		foreach my $name (keys %$n)
		{
			push @{ $owner{$_} }, [ $p, $name ] foreach @{ $n->{$name} };
		}
	}
	my $any = join('|', map { quotemeta } sort { length($b) <=> length($a) } keys %owner);
	my $regex = qr/(?=($any))/;
	my %found;
	foreach my $file (@files)
	{
		open(my $fh, '<:raw', $file) or next;    # a file may be gone
		local $/ = undef;
		my $content = <$fh>;
		close($fh);
		next if !defined $content;
		while ($content =~ /$regex/g)
		{
			# the shorter ones that begin there too
			my $at = $1;
			foreach my $needle (grep { index($at, $_) == 0 } keys %owner)
			{
				$found{$_->[1]}{"$_->[0]{class}"}{"$_->[0]{way} $_->[0]{ip_text}"} = $file foreach @{ $owner{$needle} };
			}
		}
	}
	return \%found;
}

sub files
{
	my @files;
	find(sub { push @files, $File::Find::name if -f $_ }, $node->data_dir);
	return (@files, $node->logfile);
}

sub search_all
{
	my ($when) = @_;
	my @files = files();
	my $found = find_people(@files);
	cmp_ok(scalar(@files), '>', 900, "$when: every file is looked at");
	foreach my $name ('address as text', 'address as datum', 'address as bytes', 'user id', 'hash of user id',
		'visitor id', 'session cookie', 'order id', 'secret', 'fingerprint')
	{
		my %leaks = map { %{ $found->{$name}{$_} // {} } } qw(refused undecided nothing);
		# four bytes may stand somewhere by chance: of one, not of two
		my $allowed = $name eq 'address as bytes' ? 1 : 0;
		my @v6 = grep { /:/ } keys %leaks;
		ok(keys %leaks <= $allowed && !@v6, "$when: no $name of anybody who has not agreed")
		  or diag(join("\n", map { "$_: $leaks{$_}" } sort keys %leaks));
	}
	# who has agreed stands there in all these forms; an address is text nowhere
	foreach my $name ('address as datum', 'address as bytes', 'user id', 'hash of user id', 'order id', 'secret', 'fingerprint')
	{
		my %seen;
		$seen{ (split / /, $_)[0] }++ foreach keys %{ $found->{$name}{granted} // {} };
		is(join(' ', sort keys %seen), 'abort bulk error many query track', "$when: $name of those who have agreed is found, by whatever way they came");
	}
	return;
}

# ---- what they send -----------------------------------------------------------

sub quote { my ($s) = @_; $s =~ s/'/''/g; return "'$s'"; }

sub hit
{
	my ($p, $what) = @_;
	my $site = $p->{class} eq 'nothing' ? 2 : 1;
	my $q = "idsite=$site&rec=1&uid=$p->{user}" . ($p->{which} ? '' : '&_id=' . unpack('H*', $p->{id})) . "&dimension1=$p->{secret}&"
	  . { refused => 'uia=1', undecided => 'consent=unknown', granted => 'consent=1', nothing => 'uia=1' }->{ $p->{class} };
	return "$q&" . {
		page => "url=https://a.example/?token=$p->{secret}&action_name=Page&urlref=https://b.example/?t=$p->{secret}",
		order => "idgoal=0&ec_id=$p->{order}&revenue=5&ec_items=[[\"sku\",\"name\",\"cat\",5,1]]",
		cart => 'idgoal=0&revenue=5&ec_items=[["sku","name","cat",5,1]]',
		event => "e_c=c&e_a=a&url=https://a.example/?token=$p->{secret}",
		link => "link=https://out.example/?token=$p->{secret}",
		invalid => "e_c=+&e_a=+&url=https://a.example/?token=$p->{secret}",
		unknown => "idgoal=77",
		ping => 'ping=1' }->{$what};
}

my $agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

sub request
{
	my ($p, $what, $with_cookie) = @_;
	my $headers = $with_cookie ? sprintf('\'{"cookie": "_pk_anonymous=%s; _pk_uid=%s"}\'', unpack('H*', $p->{cookie}), unpack('H*', $p->{id})) : 'NULL';
	return 'SELECT t.cookie_name, t.cookie_value, t.outcome FROM pk_tracking.track_request(' . quote(hit($p, $what))
	  . ", '$p->{ip_text}', '$agent', 'de', headers => $headers) t;\n";
}

sub document
{
	my ($filler, @of) = @_;
	my $n = 0;
	my @requests = map { my $p = $_; map { { %$p, q => '?' . hit($p, $_) . "&cip=$p->{ip_text}" } } qw(page order cart event) } @of;
	my @list = map { my $q = $_->{q}; $q =~ s/"/\\"/g; "\"$q\"" } @requests;
	push @list, map { sprintf('"?idsite=1&rec=1&consent=1&_id=%016x&url=https://a.example/f"', 0x1000 + $_) } 1 .. $filler;
	return "SELECT t.cookie_name, t.cookie_value, t.outcome FROM pk_tracking.track_requests(" . quote('[' . join(', ', @list) . ']')
	  . ", '192.0.2.1', '$agent', 'de', trusted => true) t;\n";
}

sub workload
{
	my $script = "SET client_min_messages = error;\n";
	foreach my $p (grep { $_->{way} !~ /bulk|many/ } @people)
	{
		my $hits = join('', request($p, 'page', 0), map { request($p, $_, 1) } qw(page order cart event link ping));
		my $hex = unpack('H*', $p->{id});
		my $site = $p->{class} eq 'nothing' ? 2 : 1;
		if ($p->{way} eq 'query') { $script .= $hits; }
		elsif ($p->{way} eq 'abort') { $script .= "BEGIN;\n${hits}ROLLBACK;\n"; }
		elsif ($p->{way} eq 'invalid')
		{
			$script .= request($p, 'invalid', 1) . request($p, 'unknown', 0);
		}
		elsif ($p->{way} eq 'error')
		{
			# errors after and in tracking; the statement itself is the operator's to keep out of the log
			$script .= "SET log_min_error_statement = panic;\nBEGIN;\n$hits"
			  . "SELECT pk_tracking.track($site, 'https://a.example/', ip => '$p->{ip_text}', user_id => '$p->{user}', visitor_id => '$hex', consent => 'perhaps');\nROLLBACK;\n"
			  . "BEGIN;\n$hits" . "SELECT pk_tracking.track($site, 'https://a.example/', ip => '$p->{ip_text}', user_id => '$p->{user}', visitor_id => '$hex', params => '{\"uia\": 1, \"e_c\": \" \", \"e_a\": \" \"}');\nROLLBACK;\n"
			  . "SELECT * FROM pk_tracking.track_request(" . quote(hit($p, 'unknown')) . ", '$p->{ip_text}', strict => true);\n"
			  . "RESET log_min_error_statement;\n";
		}
		else
		{
			my $consent = { refused => 'denied', undecided => 'unknown', granted => 'granted', nothing => 'denied' }->{ $p->{class} };
			my $common = "ip => '$p->{ip_text}', user_agent => '$agent', accept_language => 'de', user_id => '$p->{user}', visitor_id => '$hex', consent => '$consent', urlref => 'https://b.example/?t=$p->{secret}'";
			$script .= "SELECT t.cookie_name, t.cookie_value, t.outcome FROM pk_tracking.track($site, 'https://a.example/?token=$p->{secret}', $common, params => '{\"dimension1\": \"$p->{secret}\"}') t;\n"
			  . "SELECT t.cookie_name, t.cookie_value, t.outcome FROM pk_tracking.track($site, session_cookie => '" . unpack('H*', $p->{cookie}) . "', $common, params => '{\"idgoal\": 0, \"ec_id\": \"$p->{order}\"}') t;\n";
		}
	}
	$script .= document(0, $_) foreach grep { $_->{way} eq 'bulk' } @people;
	$script .= document(100, grep { $_->{way} eq 'many' } @people);
	# reports that spill
	$script .= q{SET work_mem = '64kB';
		CREATE TEMP TABLE spill AS SELECT v.* FROM pk_tracking.log_visit v, generate_series(1, 200);
		SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY md5(s::text)), s FROM spill s) x;
		SELECT count(*) FROM pk_tracking.report_visit_log(1, current_date - 1, current_date + 1);
		ANALYZE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item, pk_tracking.log_action;
	};
	my ($code, $out) = $node->psql('postgres', $script, extra_params => ['-At'], on_error_stop => 0);
	return $out;
}

# nothing of it is there before anybody comes
my $before = find_people(files());
is(join(', ', map { my $n = $_; map { "$n $_" } keys %{ $before->{$n} } } grep { $_ ne 'address as bytes' } keys %$before), '', 'nothing is found by chance');

my $out = workload();
is(() = $out =~ /\|recorded$/mg, () = $out =~ /\|recorded$/mg, 'sent');
my %outcome;
$outcome{$_}++ foreach $out =~ /\|(recorded|invalid|ignored|excluded)$/mg;
cmp_ok($outcome{recorded}, '>', 300, 'hits were recorded');
cmp_ok($outcome{excluded}, '>', 30, 'and refused');
cmp_ok($outcome{invalid}, '>', 10, 'and invalid');
# session cookies that were given out belong to one of those without consent, whoever
my ($anybody) = grep { $_->{class} eq 'refused' } @people;
my %given = map { $_ => 1 } $out =~ /^_pk_anonymous\|([0-9a-f]{16})\|/mg;
delete $given{ unpack('H*', $_->{id}) }, delete $given{ unpack('H*', $_->{cookie}) } foreach @people;
push @{ $anybody->{cookies} }, map { pack('H*', $_) } keys %given;
cmp_ok(scalar(keys %given), '>', 5, 'cookies were given out');
is($node->safe_psql('postgres', 'SELECT count(*) >= 16, bool_and(v.consent IN (2, 3)) FROM pk_tracking.log_visit v WHERE v.idvisitor IS NULL'), 't|t', 'there are anonymous visits');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = 2'), '0', 'and none where nothing is stored');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.log_conversion_item v WHERE v.idvisitor IS NULL'), '>', 10, 'with orders');
# what would be their fingerprints, if they had any
my $sql = join(' UNION ALL ', map { sprintf("SELECT %d, pk_tracking.fingerprint(1, '%s', '%s', 'de')", $_, $people[$_]{ip_text}, $agent) } 0 .. $#people);
foreach my $line (split /\n/, $node->safe_psql('postgres', $sql))
{
	my ($n, $config) = split /\|/, $line;
	$people[$n]{config} = pack('H*', $config);
}

$node->stop;
search_all('clean shutdown');
$node->start;
workload();
$node->stop('immediate');
search_all('crash');
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.session_link_0') + $node->safe_psql('postgres', 'SELECT count(*) FROM pk_tracking.session_link_1'), 0, 'links are gone');
workload();
$node->safe_psql('postgres', 'VACUUM FULL pk_tracking.log_visit; CHECKPOINT');
$node->stop('immediate');
$node->start;
search_all('recovery');

# the log has no statement, and is searched like the rest
unlike(slurp_file($node->logfile), qr/track_request\(/, 'no statement in the log');
like(slurp_file($node->logfile), qr/invalid value for argument "consent"/, 'errors are');
like(slurp_file($node->logfile), qr/temporary file/, 'temporary files were used');
my ($refused) = grep { $_->{class} eq 'refused' } @people;
$node->safe_psql('postgres', "SET log_statement = 'all'; " . request($refused, 'page', 1));
my $logged = find_people($node->logfile);
ok($logged->{$_}{refused}, "$_ would be noticed in the log") foreach 'address as text', 'user id', 'visitor id', 'session cookie', 'secret';

# ---- "nothing stored" leaves no line in the log, whatever is logged -------------
$node->append_conf('postgresql.conf', 'log_min_messages = debug1');
$node->reload;
$node->safe_psql('postgres', 'SELECT 1');    # the reload has its lines
my $size = -s $node->logfile;
my ($nobody) = grep { $_->{class} eq 'nothing' } @people;
$node->safe_psql('postgres', join('', map { request($nobody, $_, 1) } qw(page order cart event ping)));
my $lines = substr(slurp_file($node->logfile), $size);
my @told = grep { /ip|user-|track|consent|$nobody->{secret}/ && !/autovacuum|checkpoint/ } split /\n/, $lines;
is(join("\n", @told), '', 'no line for hits without consent');

# ---- places: the full address is located, and told as coarse as the setting says ---
is($node->safe_psql('postgres', qq{
	DO \$\$ BEGIN
		FOR i IN 1 .. 5 LOOP
			PERFORM pk_tracking.set_site(1, 'anonymous_geo_level', ('{none,continent,country,region,city}'::text[])[i]);
			PERFORM pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.7', accept_language => 'fr', consent => 'denied', new_visit => true, at => now() + i * interval '1 s');
		END LOOP;
		PERFORM pk_tracking.set_site(1, 'geo_level', 'region');
		PERFORM pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.7', consent => 'denied', new_visit => true, at => now() + interval '6 s');
		PERFORM pk_tracking.reset_site(1, 'geo_level');
		PERFORM pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.7', consent => 'denied', new_visit => true, at => now() + interval '7 s', params => '{"rmip": 1}');
		PERFORM pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.7', consent => 'granted', visitor_id => '00000000000000aa', new_visit => true, at => now() + interval '8 s');
	END \$\$;
	SELECT concat_ws(' ', location_continent, location_country, location_region, convert_to(location_city, 'LATIN1')::text, location_latitude, location_asn, location_organisation)
	FROM pk_tracking.log_visit ORDER BY idvisit DESC LIMIT 8}),
	join("\n", 'eu de BY \\x4dfc6e6368656e 48.137430 64500 Example Networks', '', 'eu de BY', 'eu de BY \\x4dfc6e6368656e', 'eu de BY', 'eu de', 'eu', ''),
	'location as fine as the level, without coordinates and network');
$node->stop;

done_testing();
