# A hit by HTTP becomes a row: the thinnest way through all parts.
use strict;
use warnings;
use Edge;

database('pk_edge');
my $daemon = start_daemon();
my $hit = '/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fshop.example.org%2Fa&_id=0123456789abcdef';
my $answer = request($daemon, $hit);

is($answer->{status}, 200, 'a hit is answered with status 200');
is(unpack('H*', $answer->{body}), '47494638396101000100800000000000000000' . '21f904010000000' . '02c00000000010001000002024401003b', 'and with a transparent image');
like($answer->{headers}, qr/^Cache-Control: no-store$/m, 'which is not to be kept');
is(sql('SELECT url, idvisitor FROM pk_tracking.action'), 'https://shop.example.org/a|0123456789abcdef', 'the hit is recorded');
is(sql('SELECT number FROM pk_tracking.edge_batch'), '1', 'with its batch');
request($daemon, "$hit&action_name=two&pv_id=$_") for 1 .. 3;
is(sql('SELECT count(*), count(DISTINCT idvisit) FROM pk_tracking.action'), '4|1', 'further hits continue the visit');
$answer = request($daemon, '/matomo.php?idsite=77&rec=1');
is("$answer->{status} $answer->{body}", qq{400 invalid value for tracking parameter "idsite"\n}, 'an unknown site is status 400');
is(Edge::stop_daemon($daemon), 0, 'it stops with status 0');
done();
