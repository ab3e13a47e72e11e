# What the pages need besides rows: warnings of changes, lists with absent values, named filters.
use strict;
use warnings;
use Edge;
use Web;

web_database('pk_web_pages');
my $daemon = start_web();
my $days = 'from=2026-11-16&to=2026-11-17';
my %session = map { $_ => login($daemon, "web_$_") } qw(analyst one admin chief);
sub call { my ($who, $function, $arguments) = @_; return post($daemon, "/api/admin/$function", $arguments, @{ $session{$who}{args} }, '-H', 'X-CSRF-Token: ' . ($session{$who}{csrf})) }
sub warnings_of { return join '; ', map { $_->{message} } @{ json($_[0]{body})->{warnings} // [] } }

## warnings
my $done = call('admin', 'set_site', { idsite => 1, setting => 'recognition_rules', value => 'matomo' });
is("$done->{status} " . warnings_of($done), '200 log was written under other recognition rules', 'a warning reaches the administrator');
like(json($done->{body})->{warnings}[0]{detail} // '', qr/escaped for HTML/, '  with its detail');
like(json($done->{body})->{warnings}[0]{hint} // '', qr/^Set the rules of a site before/, '  and hint');
is(sql(q{SELECT pk_tracking_internal.setting_value(1, 'recognition_rules')}), 'matomo', '  and the change is made');
$done = call('admin', 'set_site', { idsite => 1, setting => 'visit_standard_length', value => '900' });
ok(!exists json($done->{body})->{warnings}, 'none stays for the next one', $done->{body});
is(warnings_of(call('admin', 'reset_site', { idsite => 1, setting => 'recognition_rules' })), 'log was written under other recognition rules', 'nor does it come once only');
is(join(' ', sort { $a cmp $b } keys %{ json(call('chief', 'add_site', { name => 'Fourth', urls => [] })->{body}) }), 'result', 'a call without warnings has none');
$done = call('admin', 'set_site', { idsite => 1, setting => 'nonsense', value => '1' });
ok($done->{status} == 400 && !exists json($done->{body})->{warnings}, 'nor has an error', $done->{body});

## lists
sub evolution { my ($labels) = @_; return api($daemon, $session{one}, "evolution?idsite=1&$days&report=report_events&period=range&$labels") }
sql(q{SELECT pk_tracking.track_request('idsite=1&rec=1&e_c=a%2C%20b&e_a=%5Bc%5D&url=https://shop.example.org/' || n, '198.51.100.9', at => timestamptz '2026-11-16 12:00+00' + m * interval '1 minute') FROM (VALUES (1, ''), (2, '&e_n=d')) x(m, n)});
is(evolution('labels=%5B%22a%2C%20b%22%2C%22%5Bc%5D%22%2Cnull%5D')->{data}{rows}[0]{numbers}{nb_events}, 1, 'a list as JSON has values that are absent');
is(evolution('labels=%5B%22a%2C%20b%22%2C%22%5Bc%5D%22%2C%22d%22%5D')->{data}{rows}[0]{numbers}{nb_events}, 1, '  and those that are there');
is(evolution('labels=a%2C%20b&labels=%5Bc%5D&labels=d')->{data}{rows}[0]{numbers}{nb_events}, 1, 'a list as a parameter that is repeated');
is(evolution("labels=%5B$_")->{status}, 400, "what begins as JSON and is none: [$_") for '', 'a', '%22a%22', '%22a%22%5D%5D';

## named filters and custom dimensions
sql(q{SELECT pk_tracking.add_segment(s, 'filter ' || s, 'countryCode==de'), pk_tracking.add_dimension(s, 'dimension ' || s, 'visit'), pk_tracking.add_dimension(s, 'closed', 'action'),
	pk_tracking.set_dimension_active(s, 2, false) FROM unnest('{1,2}'::integer[]) s});
sub known { my ($session) = @_; my $data = api($daemon, $session, 'session')->{data}; return join ', ', map { $_->{name} } @{ $data->{segments} }, @{ $data->{dimensions} } }
is(known($session{analyst}), 'filter 1, filter 2, dimension 1, dimension 2', 'the session names filters and dimensions');
is(known($session{one}), 'filter 1, dimension 1', '  of the sites of the role');
is(api($daemon, $session{one}, "visits?idsite=1&$days&filter=%40filter%201")->{status}, 200, 'a named filter');
my $link = sql(q{SELECT pk_tracking.create_web_token('press', 'web_analyst', 1)});
my ($cookie) = header_of(request($daemon, "/public/$link"), 'Set-Cookie') =~ /^([^;]+)/;
is(known({ args => [ '-H', "Cookie: $cookie" ] }), '', 'a public link sees none');

web_done();
