#!/usr/bin/perl
# A small GeoIP file with made-up places for the addresses of the demo:
#
#   test/traffic/places.pl FILE
#
# Private networks and those of the documentation, in which nobody lives, are
# spread over some cities.  Needs Debian's libmaxmind-db-writer-perl.
use strict;
use warnings;
use utf8;

use MaxMind::DB::Writer::Tree;

my $file = shift // die "usage: places.pl FILE\n";

# continent, country, region, city, degrees, share
my @places = (
	[ 'EU', 'DE', 'BE', 'Berlin', 52.52, 13.405, 5 ], [ 'EU', 'DE', 'BY', 'München', 48.1374, 11.5755, 3 ],
	[ 'EU', 'DE', 'HH', 'Hamburg', 53.5511, 9.9937, 2 ], [ 'EU', 'PL', '14', 'Warszawa', 52.2297, 21.0122, 3 ],
	[ 'EU', 'PL', '02', 'Wrocław', 51.1079, 17.0385, 2 ], [ 'EU', 'FR', 'IDF', 'Paris', 48.8566, 2.3522, 2 ],
	[ 'EU', 'AT', '9', 'Wien', 48.2082, 16.3738, 1 ], [ 'EU', 'ES', 'MD', 'Madrid', 40.4168, -3.7038, 1 ],
	[ 'NA', 'US', 'NY', 'New York', 40.7128, -74.006, 4 ], [ 'NA', 'US', 'CA', 'San Francisco', 37.7749, -122.4194, 2 ],
	[ 'NA', 'CA', 'ON', 'Toronto', 43.6532, -79.3832, 1 ], [ 'AS', 'JP', '13', 'Tokyo', 35.6762, 139.6503, 3 ],
	[ 'AS', 'JP', '27', 'Osaka', 34.6937, 135.5023, 1 ], [ 'SA', 'BR', 'SP', 'São Paulo', -23.5505, -46.6333, 1 ],
	[ 'OC', 'AU', 'NSW', 'Sydney', -33.8688, 151.2093, 1 ]);
my @spread = map { ($_) x $_->[6] } @places;

my %types = (
	continent => 'map', country => 'map', city => 'map', location => 'map', names => 'map',
	subdivisions => [ 'array', 'map' ], latitude => 'double', longitude => 'double');
my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version => 6, record_size => 28, database_type => 'Made-up-City', languages => ['en'],
	description => { en => 'made up for the demo of pk_tracking' },
	alias_ipv6_to_ipv4 => 1, remove_reserved_networks => 0,
	map_key_type_callback => sub { $types{ $_[0] } // 'utf8_string' });
my $n = 0;

sub put
{
	my ($network) = @_;
	my $p = $spread[ ($n++ * 7) % @spread ];
	$tree->insert_network($network, {
		continent => { code => $p->[0] },
		country => { iso_code => $p->[1] },
		subdivisions => [ { iso_code => $p->[2] } ],
		city => { names => { en => $p->[3] } },
		location => { latitude => $p->[4], longitude => $p->[5] } });
	return;
}
put("10.$_.0.0/16") foreach (0 .. 255);
put("100.$_.0.0/16") foreach (64 .. 127);
put(sprintf('2001:db8:%x::/38', $_ * 1024)) foreach (0 .. 63);
put("203.0.113.$_/32") foreach (0 .. 255);

open(my $fh, '>:raw', $file) or die "$file: $!\n";
$tree->write_tree($fh);
close($fh) or die "$file: $!\n";
