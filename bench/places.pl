#!/usr/bin/perl
# A GeoIP city file for the bench, of made-up places: every /16 of the first half
# of IPv4 in two parts, and 2001:db8::/32 in 4,096, 2,000 cities in the nested
# layout:
#
#   bench/places.pl FILE
#
# Needs Debian's libmaxmind-db-writer-perl.
use strict;
use warnings;

use MaxMind::DB::Writer::Tree;

my $file = shift // die "usage: places.pl FILE\n";
my @countries = ([ 'EU', 'DE' ], [ 'EU', 'PL' ], [ 'EU', 'FR' ], [ 'NA', 'US' ], [ 'NA', 'CA' ], [ 'AS', 'JP' ], [ 'SA', 'BR' ], [ 'OC', 'AU' ]);
my @cities = map {
	my $c = $countries[ $_ % @countries ];
	{
		continent => { code => $c->[0], geoname_id => $_ % @countries, names => { en => "Continent $c->[0]" } },
		country => { iso_code => $c->[1], geoname_id => 100 + $_ % @countries, names => { en => "Country $c->[1]" } },
		registered_country => { iso_code => $c->[1], geoname_id => 100 + $_ % @countries },
		subdivisions => [ { iso_code => chr(65 + $_ % 26), names => { en => 'Region ' . $_ % 26 } } ],
		city => { geoname_id => 1000 + $_, names => { de => "Stadt $_", en => "City $_", fr => "Ville $_" } },
		location => { accuracy_radius => 20, latitude => $_ % 160 - 80 + 0.25, longitude => $_ % 340 - 170 + 0.5, time_zone => 'Etc/UTC' },
		postal => { code => "P$_" } }
} 0 .. 1999;

my %types = (
	continent => 'map', country => 'map', registered_country => 'map', city => 'map', location => 'map', postal => 'map', names => 'map',
	subdivisions => [ 'array', 'map' ], latitude => 'double', longitude => 'double', geoname_id => 'uint32', accuracy_radius => 'uint16');
my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version => 6, record_size => 28, database_type => 'Made-up-City', languages => [ 'de', 'en', 'fr' ],
	description => { en => 'made up for the bench of pk_tracking' },
	alias_ipv6_to_ipv4 => 1, remove_reserved_networks => 0,
	map_key_type_callback => sub { $types{ $_[0] } // 'utf8_string' });
my $n = 0;
foreach my $a (1 .. 223)
{
	foreach my $b (0 .. 255)
	{
		$tree->insert_network("$a.$b.$_.0/17", $cities[ ($n++ * 7919) % @cities ]) foreach (0, 128);
	}
}
$tree->insert_network(sprintf('2001:db8:%x::/44', $_ * 16), $cities[ ($n++ * 7919) % @cities ]) foreach (0 .. 4095);

open(my $fh, '>:raw', $file) or die "$file: $!\n";
$tree->write_tree($fh);
close($fh) or die "$file: $!\n";
