#!/usr/bin/perl
# Small GeoIP files with made-up contents, in the layouts that providers use.
#
#   test/geoip/make.pl DIR
#
# Networks are those of the documentation, so that nobody lives there.  Needs
# Debian's libmaxmind-db-writer-perl.
use strict;
use warnings;
use utf8;

use MaxMind::DB::Writer::Tree;

my $dir = shift // die "usage: make.pl DIR\n";

# write(FILE, TYPE, IP VERSION, RECORD SIZE, TYPES BY KEY, NETWORK => RECORD...)
sub write_file
{
	my ($file, $type, $version, $bits, $types, @networks) = @_;
	my $tree = MaxMind::DB::Writer::Tree->new(
		ip_version => $version,
		record_size => $bits,
		database_type => $type,
		languages => ['en'],
		description => { en => "$type, made up" },
		($version == 6 ? (alias_ipv6_to_ipv4 => 1) : ()),
		remove_reserved_networks => 0,
		map_key_type_callback => sub { $types->{ $_[0] } // 'utf8_string' });
	while (my ($network, $record) = splice(@networks, 0, 2))
	{
		$tree->insert_network($network, $record);
	}
	open(my $fh, '>:raw', "$dir/$file.new") or die "$dir/$file.new: $!\n";
	$tree->write_tree($fh);
	close($fh) or die "$dir/$file.new: $!\n";
	rename("$dir/$file.new", "$dir/$file") or die "$dir/$file: $!\n";
	return;
}

# maps in a map
my %nested = (
	continent => 'map',
	country => 'map',
	registered_country => 'map',
	represented_country => 'map',
	city => 'map',
	location => 'map',
	postal => 'map',
	traits => 'map',
	names => 'map',
	subdivisions => [ 'array', 'map' ],
	geoname_id => 'uint32',
	accuracy_radius => 'uint16',
	is_in_european_union => 'boolean',
	latitude => 'double',
	longitude => 'double',
	autonomous_system_number => 'uint32');

sub nested
{
	my ($country, $region, $region_name, $city, $lat, $lon) = @_;
	return {
		city => { geoname_id => 1, names => { de => "$city (de)", en => $city, ja => '市' } },
		continent => { code => 'EU', geoname_id => 2, names => { en => 'Europe' } },
		country => { geoname_id => 3, is_in_european_union => 1, iso_code => $country, names => { en => 'a country' } },
		location => { accuracy_radius => 20, latitude => $lat, longitude => $lon, time_zone => 'Europe/Somewhere' },
		postal => { code => '12345' },
		registered_country => { geoname_id => 4, iso_code => 'ZZ', names => { en => 'elsewhere' } },
		subdivisions => [
			{ ($region ? (iso_code => $region) : ()), geoname_id => 5, names => { en => $region_name } },
			{ iso_code => 'NO2', names => { en => 'second' } }
		],
	};
}

sub city_file
{
	my ($file, $country, $bits) = @_;
	write_file(
		$file, 'Test-City', 6, $bits, \%nested,
		'203.0.113.0/25' => nested($country, 'BY', 'Bavaria', 'München', 48.13743, 11.57549),
		'203.0.113.128/26' => { registered_country => { iso_code => 'SE' }, traits => {} },
		'203.0.113.192/26' => nested('NL', undef, 'North Holland', 'Amsterdam', -0.0000004, -179.9999999),
		'198.51.100.0/28' => { location => { latitude => 91, longitude => 10 }, country => { iso_code => 'GBR' } },
		'198.51.100.16/28' => { country => { iso_code => 'GB' }, subdivisions => [ { iso_code => 'LONG', names => { en => 'Region' } } ], city => { names => { en => "BADBYTES\x{20}Stadt" } } },
		'198.51.100.32/28' => { country => { iso_code => 'GB' }, subdivisions => [], city => { names => { en => "  \n" . ('Ü' x 300) } } },
		'198.51.100.48/28' => { country => { iso_code => 'US' }, city => { names => { de => 'nur deutsch' } } },
		'2001:db8::/33' => nested('FR', 'IDF', 'Île-de-France', 'Paris', 48.8566, 2.3522));
	# the writer writes no invalid UTF-8
	open(my $fh, '+<:raw', "$dir/$file") or die;
	local $/ = undef;
	my $bytes = <$fh>;
	$bytes =~ s/BADBYTES/A\xff\xc3(\x00\xe2\x82B/ or die 'no bad bytes';
	seek($fh, 0, 0);
	print $fh $bytes;
	close($fh) or die;
	return;
}

city_file('city.mmdb', 'DE', 28);
city_file('city-24.mmdb', 'AT', 24);
city_file('city-32.mmdb', 'CH', 32);

write_file(
	'asn.mmdb', 'Test-ASN', 6, 24, \%nested,
	'203.0.113.0/24' => { autonomous_system_number => 64500, autonomous_system_organization => 'Example Networks' },
	'192.0.2.0/24' => { autonomous_system_number => 4294967295 },
	'2001:db8::/32' => { autonomous_system_number => 64501, autonomous_system_organization => 'Beispiel-Netze Ü' });

# flat, a file for each family; coordinates as numbers and as text
my %flat = (latitude => 'float', longitude => 'float', autonomous_system_number => 'uint32');
write_file(
	'flat-ipv4.mmdb', 'city ipv4', 4, 24, \%flat,
	'203.0.113.0/24' => {
		country_code => 'JP', state1 => 'Tokyo', state2 => '', city => 'Chiyoda',
		postcode => '100', latitude => 35.5, longitude => 139.75, timezone => '' },
	'198.51.100.0/25' => { country_code => 'JP', state1 => '', city => '', latitude => 0, longitude => 0 });
write_file(
	'flat-ipv6.mmdb', 'city ipv6', 6, 24, {},
	'2001:db8::/32' => {
		country_code => 'BR', region => 'Bahia', region_code => 'BR-BA', city => 'Salvador',
		latitude => '-12.97111', longitude => '-38.51083', continent_code => 'SA' },
	'2001:db8:ffff::/48' => { country => 'Brazil', continent => 'South America', region_name => 'Bahia', lat => 'north', lng => '1e3' });
write_file(
	'flat-asn.mmdb', 'country_asn', 6, 24, {},
	'203.0.113.0/25' => {
		asn => 'AS64502', as_name => 'Flat Networks', as_domain => 'flat.example',
		country => 'Iceland', country_code => 'IS', continent => 'Europe', continent_code => 'EU' },
	'203.0.113.128/25' => { asn => 'ASnone', organization => 'no number' },
	'198.51.100.0/24' => { as_number => '64503', country => 'NO', continent => 'EU' });
