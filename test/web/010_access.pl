# Log-in, sessions, reports, and what the daemon answers with.
use strict;
use warnings;
use Edge;
use Web;

web_database('pk_web_access');
my $daemon = start_web();

## files
my $page = request($daemon, '/');
is($page->{status}, 200, 'the page is served');
like($page->{body}, qr/Statistics/, 'from index.html');
is(header_of($page, 'Content-Type'), 'text/html; charset=utf-8', 'as HTML');

## log-in
is(problem_of(api($daemon, undef, 'visits?idsite=1&from=2026-11-16&to=2026-11-17')), '401 log in', 'without a session nothing is told');
my $session = login($daemon, 'web_analyst');
is($session->{status}, 200, 'a role logs in with its password');
like($session->{csrf}, qr/^[0-9a-f]{64}$/, 'and gets a CSRF token');
my $answer = api($daemon, $session, 'visits?idsite=1&from=2026-11-16&to=2026-11-17');
is($answer->{status}, 200, 'and reads a report');
is(join(' ', map { "$_->{first_day}:$_->{nb_visits}" } @{ $answer->{data}{rows} }),
	sql(q{SELECT string_agg(first_day || ':' || nb_visits, ' ') FROM pk_tracking.report_visits(1, '2026-11-16', '2026-11-17')}),
	'with the numbers of the function');

web_done();
