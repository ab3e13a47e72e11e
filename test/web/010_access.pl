# Files, log-in, sessions, cookies, headers, reports as JSON and CSV.
use strict;
use warnings;
use Edge;
use Web;

web_database('pk_web_access');
my $daemon = start_web(port => free_port());
my $days = 'from=2026-11-16&to=2026-11-17';

## files
my $page = request($daemon, '/');
is($page->{status}, 200, 'the page is served');
like($page->{body}, qr/Statistics/, 'from index.html');
is(header_of($page, 'Content-Type'), 'text/html; charset=utf-8', 'as HTML');
is(header_of(request($daemon, '/web/app.js'), 'Content-Type'), 'text/javascript; charset=utf-8', 'scripts have their type');
is(header_of(request($daemon, '/web/lib/style.css'), 'Content-Type'), 'text/css; charset=utf-8', 'styles too, in a directory');
is(request($daemon, '/web/app.js', '-H', 'If-None-Match: ' . header_of(request($daemon, '/web/app.js'), 'ETag'))->{status}, 304, 'what the browser has is not sent again');
for my $path ('/web/../app.js', '/web/%2e%2e/1.conf', '/web/..%2f1.conf', '/web/.hidden.js', '/web/lib/', '/web/notes.key', '/web//etc/passwd', '/web/no.js', '/matomo.php?idsite=1&rec=1', '/metrics', '/pk.js')
{
	is(request($daemon, $path, '--path-as-is')->{status}, 404, "$path is not there");
}
is(request($daemon, '/', '-X', $_)->{status}, 405, "$_ is no method for it") for qw(POST PUT DELETE OPTIONS);

## headers, of every kind of answer
for my $path ('/', '/web/no.js', '/api/session', '/api/visits', '/public/0')
{
	my $answer = request($daemon, $path);
	like(header_of($answer, 'Content-Security-Policy') // '', qr/^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/, "$path: nothing but our own files runs");
	is(header_of($answer, 'X-Content-Type-Options') // '', 'nosniff', "$path: types are not guessed");
	is(header_of($answer, 'Referrer-Policy') // '', 'no-referrer', "$path: no referrer");
	is(header_of($answer, 'Access-Control-Allow-Origin') // 'none', 'none', "$path: no other site reads it");
}

## log-in
is(problem_of(api($daemon, undef, "visits?idsite=1&$days")), '401 log in', 'without a session nothing is told');
is(header_of(api($daemon, undef, 'session'), 'Content-Type'), 'application/problem+json', 'and that as a problem');
my $session = login($daemon, 'web_analyst');
is($session->{status}, 200, 'a role logs in with its password');
like($session->{csrf}, qr/^[0-9a-f]{64}$/, 'and gets a CSRF token');
like(header_of($session, 'Set-Cookie'), qr{^pk_session=[0-9a-f]{64}; Path=/; Secure; HttpOnly; SameSite=Strict$}, 'and a cookie that no script and no other site has');
is(problem_of(login($daemon, 'web_analyst', $_)), '401 wrong user or password', 'a wrong password is refused') for 'wrong', 'secret of web_analyst ', "secret of web_analyst\x{1}";
is(problem_of(login($daemon, 'web_analyst', '')), '401 wrong user or password', 'an empty one is');
is(problem_of(login($daemon, 'web_nobody', 'x')), '401 wrong user or password', 'so is a role that does not exist, in the same words');
is(problem_of(login($daemon, 'web_analyst' . ' ' x 60, 'x')), '401 wrong user or password', 'and a name that would be cut');
is(problem_of(login($daemon, "web_analyst dbname=postgres", 'secret of web_analyst')), '401 wrong user or password', 'a connection string is no name');
is(problem_of(login($daemon, 'web_stranger')), '403 this role may not use the web pages', 'a role without grant_web() is refused');
is(problem_of(login($daemon, 'web_super')), '403 this role must not use the web pages', 'so is a superuser');
is(problem_of(login($daemon, 'web_daemon')), '503 log-in is not possible', 'one of whom no password was asked cannot log in');
is(problem_of(post($daemon, '/api/login', { user => 'web_analyst' })), '400 request refused', 'a password is needed');
is(problem_of(request($daemon, '/api/login', '-d', 'user=web_analyst&password=x')), '403 not a request of these pages', 'a form is no log-in');
is(problem_of(post($daemon, '/api/login', { user => 'web_analyst', password => 'x' }, '-H', 'Origin: https://evil.example')), '403 not a request of these pages', 'nor is a page of another site');
is(problem_of(post($daemon, '/api/login', { user => 'web_analyst', password => 'x' }, '-H', 'Sec-Fetch-Site: same-site')), '403 not a request of these pages', 'nor one of a sister');
sql(q{ALTER ROLE web_one PASSWORD E'p\u00e4\U0001F600"\\\\word'});
my $strange = request($daemon, '/api/login', '-H', 'Content-Type: application/json', '-d', '{"user":"web_one", "password":"p\u00e4\ud83d\ude00\"\\\\word"}');
is($strange->{status}, 200, 'a password may have any characters');
sql("ALTER ROLE web_one PASSWORD 'secret of web_one'");

## TLS or this machine
my @plain = ('-H', 'X-Forwarded-For: 198.51.100.7');
is(problem_of(post($daemon, '/api/login', { user => 'web_analyst', password => 'secret of web_analyst' }, @plain)), '403 TLS is needed', 'over a proxy without TLS nobody logs in');
is(problem_of(api($daemon, $session, "visits?idsite=1&$days", @plain)), '403 TLS is needed', 'nor reads');
is(problem_of(api($daemon, $session, "visits?idsite=1&$days", @plain, '-H', 'X-Forwarded-Proto: http')), '403 TLS is needed', 'nor if the proxy says http');
my $tls = post($daemon, '/api/login', { user => 'web_analyst', password => 'secret of web_analyst' }, @plain, '-H', 'X-Forwarded-Proto: https', '-H', 'Origin: https://' . "127.0.0.1:$daemon->{port}");
is($tls->{status}, 200, 'with TLS one does');
like(header_of($tls, 'Set-Cookie'), qr{^__Host-pk_session=[0-9a-f]{64}; Path=/; Secure; HttpOnly; SameSite=Strict$}, 'and the cookie is of this host alone');
my $untrusting = start_web(port => free_port(), trusted_proxies => '10.0.0.0/8');
is(problem_of(post($untrusting, '/api/login', { user => 'web_analyst', password => 'secret of web_analyst' }, @plain, '-H', 'X-Forwarded-Proto: https')), '403 TLS is needed', 'of a stranger this is not believed');
Edge::stop_daemon($untrusting);

## the session
my $who = api($daemon, $session, 'session');
is($who->{data}{role}, 'web_analyst', 'it knows its role');
is($who->{data}{csrf}, $session->{csrf}, 'and its CSRF token');
is(join(' ', map { "$_->{idsite}:$_->{name}" } @{ $who->{data}{sites} }), '2:Blog 1:Shop', 'and its sites');
is($who->{data}{admin} ? 'yes' : 'no', 'no', 'an analyst is no administrator');
is(problem_of(api($daemon, { args => [ '-H', 'Cookie: pk_session=' . '0' x 64 ] }, 'session')), '401 log in', 'a cookie that is made up is none');

## reports
my $answer = api($daemon, $session, "visits?idsite=1&$days");
is($answer->{status}, 200, 'a report is read');
is(join(' ', map { "$_->{first_day}:$_->{nb_visits}" } @{ $answer->{data}{rows} }),
	sql(q{SELECT string_agg(first_day || ':' || nb_visits, ' ') FROM pk_tracking.report_visits(1, '2026-11-16', '2026-11-17')}),
	'with the numbers of the function');
is($answer->{data}{more} ? 'yes' : 'no', 'no', 'and there is no more');
is(api($daemon, $session, "visits?idsite=1&$days", '-H', 'If-None-Match: ' . header_of($answer, 'ETag'))->{status}, 304, 'a browser that has it does not get it again');
like(header_of($answer, 'Cache-Control'), qr/private, no-cache/, 'and must ask');
my $list = api($daemon, $session, '');
is(scalar @{ $list->{data}{reports} }, sql(q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'pk_tracking'::regnamespace AND proname ~ '^report_'}), 'every report is listed');
my ($pages) = grep { $_->{name} eq 'pages' } @{ $list->{data}{reports} };
is(join(' ', map { $_->{name} } @{ $pages->{arguments} }), 'idsite from_date to_date visitors filter', 'with its arguments');
sub urls { join ' ', map { $_->{url} =~ m{/(\d+)$} } @{ $_[0]{data}{rows} } }
is(urls(api($daemon, $session, "pages?idsite=2&$days&sort=-url&limit=3")), '9 8 7', 'rows are sorted, and so many');
is(api($daemon, $session, "pages?idsite=2&$days&limit=3")->{data}{more} ? 'yes' : 'no', 'yes', 'and there are more');
is(urls(api($daemon, $session, "pages?idsite=2&$days&sort=url&limit=2&offset=1")), '10 11', 'others are passed over');
is(api($daemon, $session, "visits?idsite=1&$days&period=range&filter=" . 'pageUrl%3D%40page/3')->{data}{rows}[0]{nb_visits}, 1, 'a filter narrows it');
is(scalar @{ api($daemon, $session, "funnel?idsite=1&$days&steps=pageUrl%3D%40page/1&steps=pageUrl%3D%40page/2")->{data}{rows} }, 2, 'an array is a parameter repeated');
is(api($daemon, $session, "visits?idsite=1&$days&filter=&visitors=")->{status}, 200, 'an empty parameter counts as absent');
for my $try (
	[ "visits?$days", 400, 'argument "idsite" of report "visits" is missing' ],
	[ "visits?idsite=1&idsite=2&$days", 400, 'argument "idsite" of report "visits" is given twice' ],
	[ "visits?idsite=1&$days&nonsense=1", 400, 'report "visits" has no argument "nonsense"' ],
	[ "visits?idsite=1&$days&sort=nonsense", 400, 'report "visits" cannot be sorted by this' ],
	[ "visits?idsite=1&$days&limit=-1", 400, 'argument "limit" must be between 0 and 10000' ],
	[ "visits?idsite=7&$days", 400, 'site 7 does not exist' ],
	[ "visits?idsite=1&from=soon&to=2026-11-17", 400, 'invalid input syntax for type date: "soon"' ],
	[ "visits?idsite=1&$days&filter=nonsense", 400, undef ],
	[ "nonsense?idsite=1&$days", 404, 'there is no such report, or it is not granted' ],
	[ "visits?idsite=1&$days&format=xml", 404, undef ])
{
	my $got = api($daemon, $session, $try->[0]);
	is($got->{status} . ' ' . ($try->[2] ? $got->{data}{detail} // '' : ''), "$try->[1] " . ($try->[2] // ''), "$try->[0]: what is wrong is told");
}

## CSV
my $csv = api($daemon, $session, "titles?idsite=1&$days&format=csv");
is($csv->{status}, 200, 'a report is a file');
is(header_of($csv, 'Content-Type'), 'text/csv; charset=utf-8; header=present', 'of CSV');
is(header_of($csv, 'Content-Disposition'), 'attachment; filename="titles.csv"', 'to be kept');
my @lines = split /\n/, $csv->{body};
is(scalar @lines, 11, 'with a head and all rows');
is(scalar(grep { /^'=formula\(/ } @lines), 10, 'and no cell is a formula');
sql(q{SELECT pk_tracking.track(1, 'https://shop.example.org/x', t, ip => '203.0.113.99', user_agent => 'agent', at => '2026-11-16 10:00+00')
	FROM unnest(ARRAY['+1', '-1', '@x', ' =1', 'a=1', 'a,"b"']) t});
$csv = api($daemon, $session, "titles?idsite=1&from=2026-11-16&to=2026-11-16&format=csv");
like($csv->{body}, qr/^\Q$_\E,/m, "$_ is such a cell") for q{'+1}, q{'-1}, q{'@x}, 'a=1', q{"a,""b"""};
is(api($daemon, $session, "visits?idsite=1&$days&format=csv&filter=nonsense")->{status}, 400, 'what is wrong is told, too');

## log-out
is(problem_of(post($daemon, '/api/logout', {}, @{ $session->{args} })), '403 the CSRF token is missing or wrong', 'nobody logs out by a foreign page');
is(problem_of(post($daemon, '/api/logout', {}, @{ $session->{args} }, '-H', 'X-CSRF-Token: ' . '0' x 64)), '403 the CSRF token is missing or wrong', 'nor with a token that is made up');
$answer = post($daemon, '/api/logout', {}, @{ $session->{args} }, '-H', "X-CSRF-Token: $session->{csrf}");
is($answer->{status}, 200, 'with the token one does');
like(header_of($answer, 'Set-Cookie'), qr/^pk_session=; .*Max-Age=0/, 'the cookie is gone');
is(problem_of(api($daemon, $session, 'session')), '401 log in', 'and so is the session');

## the log
my $log = slurp($daemon->{log});
is(scalar(grep { index($log, $_) >= 0 } 'secret of', 'web_analyst', '198.51.100.7', 'nonsense'), 0, 'the log names no user, password, address or parameter');

web_done();
