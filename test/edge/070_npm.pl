# The npm package matomo-tracker, single and bulk; PKT_NODE_MODULES has it.
use strict;
use warnings;
use Edge;

$ENV{NODE_PATH} = $ENV{PKT_NODE_MODULES};
database('pk_edge_npm');
sql(q{INSERT INTO pk_tracking.token (token_hash, name) VALUES (sha256('npm-token'), 'npm')});
my $port = free_port();
my $daemon = start_daemon(port => $port);
ok(wait_for(20, sub { request($daemon, '/matomo.php?idsite=1')->{status} == 200 }), 'connected');
my $script = work_dir() . '/track.js';
open my $f, '>', $script or die $!;
print $f <<"JS";
const MatomoTracker = require('matomo-tracker');
const matomo = new MatomoTracker(1, 'http://127.0.0.1:$port/matomo.php');
matomo.on('error', e => console.log('error ' + e));
matomo.track({ url: 'https://shop.example.org/single', action_name: 'Single ä', ua: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', cip: '203.0.113.9', token_auth: 'npm-token', _id: '00000000000000a1' });
const later = { url: 'https://shop.example.org/bulk', ua: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', _id: '00000000000000a2' };
setTimeout(() => matomo.trackBulk([{ ...later, action_name: 'one' }, { ...later, action_name: 'two', e_c: 'c', e_a: 'a' }], data => console.log('bulk ' + data)), 500);
JS
close $f;
my $said = `node $script`;
print map { "    $_\n" } split /\n/, $said;
ok($said !~ /error/, 'neither single nor bulk is an error');
ok($said =~ /"tracked": ?2/, 'it reads the answer of a bulk document');
is(sql(q{SELECT string_agg(title, ' ' ORDER BY idlink_va) FROM pk_tracking.action WHERE kind = 'page'}), 'Single ä one', 'pages');
is(sql(q{SELECT event_category FROM pk_tracking.action WHERE kind = 'event'}), 'c', 'and the event are recorded');
is(sql(q{SELECT location_ip FROM pk_tracking.log_visit WHERE idvisitor = '00000000000000a1'}), '203.0.0.0', 'with the address that it sends');
done();
