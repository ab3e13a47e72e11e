# What an analyst of one site, administrators, a public link and a token may and may not.
use strict;
use warnings;
use Edge;
use Web;

web_database('pk_web_rights');
my $daemon = start_web();
my $days = 'from=2026-11-16&to=2026-11-17';
my %session = map { $_ => login($daemon, "web_$_") } qw(analyst one admin chief);
is(join(' ', map { $session{$_}{status} } sort keys %session), '200 200 200 200', 'all log in');

# the report's own arguments, of those that have no default
my %own = (
	by => 'dimension=countryCode', goals_by => 'dimension=countryCode', action_dimension => 'dimension=2', action_dimension_urls => 'dimension=2',
	funnel => 'steps=pageUrl%3D%40page', transitions => 'url=https://shop.example.org/page/1', evolution => 'report=report_pages&labels=https://shop.example.org/page/1',
	visitor => 'user_id=person1');
sql(q{SELECT pk_tracking.add_dimension(s, d, d) FROM unnest('{1,2}'::integer[]) s, unnest('{visit,action}'::text[]) d});
sub query_of
{
	my ($report, $site) = @_;
	my %has = map { $_->{name} => 1 } @{ $report->{arguments} };
	return join '&', "$report->{name}?x" =~ s/x$//r . ($has{idsite} ? "idsite=$site" : ''), $has{from_date} ? $days : (), $own{ $report->{name} } // ();
}

## an analyst of one site: every report
my $reports = api($daemon, $session{one}, '')->{data}{reports};
my (@bad_own, @bad_other);
for my $report (@$reports)
{
	my $own = api($daemon, $session{one}, query_of($report, 1));
	push @bad_own, "$report->{name}: $own->{status} " . ($own->{data}{detail} // '') if $own->{status} != 200;
	push @bad_own, "$report->{name}: other site's data" if $own->{body} =~ /blog\.example|Blog/;
	next unless grep { $_->{name} eq 'idsite' } @{ $report->{arguments} };
	for my $csv ('', '&format=csv')
	{
		my $other = api($daemon, $session{one}, query_of($report, 2) . $csv);
		push @bad_other, "$report->{name}$csv: $other->{status} $other->{body}" unless $other->{status} == 400 && $other->{body} =~ /site 2 does not exist/;
	}
}
ok(@$reports > 50, 'there are all reports');
ok(!@bad_own, 'every report of the own site is there', @bad_own);
ok(!@bad_other, 'none of the other site, which seems not to exist', @bad_other);
is(join(' ', map { $_->{name} } @{ api($daemon, $session{one}, 'session')->{data}{sites} }), 'Shop', 'the session has one site');
is(api($daemon, $session{analyst}, "visits?idsite=2&$days&period=range")->{data}{rows}[0]{nb_visits}, 20, 'an analyst of all reads the other');
# on the same connections, one after the other
for (1 .. 10)
{
	my @got = map { api($daemon, $session{$_}, "sites?$days")->{body} =~ /Blog/ ? 'both' : 'one' } qw(analyst one admin chief);
	is("@got", 'both one one both', 'roles take turns, and none stays') or last;
}

## what a user writes is no SQL
my @evil = ("1; SELECT 1", "1)--", "'", '"', q{1'||pg_sleep(1)||'}, q{$1}, '%s', '$$', "1 OR 1=1", '{1,2}', q{\\'}, 'a"; SET ROLE postgres; --', "\x{0}");
my $before = sql(q{SELECT count(*) FROM pk_tracking.log_visit});
my @strange;
for my $evil (@evil)
{
	my $e = join '', map { sprintf '%%%02X', ord } split //, $evil;
	for my $format ('', '&format=csv')
	{
		for my $q ("visits?idsite=$e&$days", "visits?idsite=1&from=$e&to=2026-11-17", "visits?idsite=1&$days&period=$e", "visits?idsite=1&$days&visitors=$e", "visits?idsite=1&$days&filter=$e",
			"visits?idsite=1&$days&filter=pageUrl%3D%3D$e", "pages?idsite=1&$days&sort=$e", "pages?idsite=1&$days&limit=$e", "pages?idsite=1&$days&offset=$e", "by?idsite=1&$days&dimension=$e",
			"page_tree?idsite=1&$days&folder=$e", "visits?idsite=1&$days&$e=1", "visits?idsite=1&$days&format=$e", "funnel?idsite=1&$days&steps=$e", "visitor?idsite=1&user_id=$e", "evolution?idsite=1&$days&report=$e&labels=$e&arguments=$e")
		{
			my $got = api($daemon, $session{one}, $q . $format);
			push @strange, "$q$format: $got->{status} $got->{body}" if $got->{status} !~ /^(200|400|404)$/ || $got->{body} =~ /syntax error at or near|unterminated quoted|Blog|blog\.example/;
		}
		my $got = api($daemon, $session{one}, "$e?idsite=1&$days$format");
		push @strange, "$e: $got->{status}" if $got->{status} !~ /^40[04]$/;
	}
	my $login = login($daemon, $evil, $evil);
	push @strange, "log-in as $evil: $login->{status}" if $login->{status} !~ /^(401|403|400|429)$/;
}
ok(!@strange, 'in no parameter', @strange[ 0 .. ($#strange < 5 ? $#strange : 5) ]);
is(sql(q{SELECT count(*) FROM pk_tracking.log_visit}), $before, 'and nothing is changed');

## administrators
sub call { my ($who, $function, $arguments, @more) = @_; return post($daemon, "/api/admin/$function", $arguments, @{ $session{$who}{args} }, '-H', 'X-CSRF-Token: ' . ($session{$who}{csrf}), @more) }
is(problem_of(api($daemon, $session{one}, 'admin/settings?idsite=1')), '403 not granted', 'an analyst sees no settings');
is(problem_of(call('one', 'set_site', { idsite => 1, setting => 'visit_standard_length', value => '900' })), '404 not found', 'nor sets one');
is(problem_of(post($daemon, '/api/admin/set_site', { idsite => 1, setting => 'visit_standard_length', value => '900' }, @{ $session{admin}{args} })), '403 the CSRF token is missing or wrong', 'without the CSRF token nothing is changed');
is(problem_of(call('admin', 'set_site', { idsite => 1, setting => 'visit_standard_length', value => '900' }, '-H', 'Origin: https://evil.example')), '403 not a request of these pages', 'nor by a page of another site');
is(call('admin', 'set_site', { idsite => 1, setting => 'visit_standard_length', value => '900' })->{status}, 200, 'an administrator sets');
is(sql(q{SELECT value FROM pk_tracking.setting WHERE idsite = 1 AND name = 'visit_standard_length'}), '900', 'and it is set');
my ($row) = grep { $_->{name} eq 'visit_standard_length' } @{ api($daemon, $session{admin}, 'admin/settings?idsite=1')->{data}{rows} };
is("$row->{value} $row->{source} $row->{type}", '900 site integer', 'and shown, with its source and type');
is(call('admin', 'set_site', { idsite => 2, setting => 'visit_standard_length', value => '900' })->{status}, 404, 'of the other site nothing');
is(call('admin', 'set_instance', { setting => 'visit_standard_length', value => '900' })->{status}, 404, 'nor of the instance');
is(call('admin', 'set_site', { idsite => 1, setting => 'nonsense', value => '900' })->{status}, 400, 'a setting that does not exist is an error');
is(json(call('admin', 'add_goal', { idsite => 1, name => 'Thanks', match_attribute => 'url', pattern => '/thanks', revenue => 2.5 })->{body})->{result}, 1, 'a goal is added');
is(join(' ', map { "$_->{name} $_->{revenue}" } @{ api($daemon, $session{admin}, 'admin/goals?idsite=1')->{data}{rows} }), 'Thanks 2.5', 'and shown');
is(scalar @{ api($daemon, $session{admin}, 'admin/goals?idsite=2')->{data}{rows} }, 0, 'those of the other site are not');
is(call('admin', 'change_site', { idsite => 1, urls => [ 'https://a.example', 'https://b.example' ] })->{status}, 200, 'a site is changed');
is(sql('SELECT urls FROM pk_tracking.site WHERE idsite = 1'), '{https://a.example,https://b.example}', 'lists are lists');
is(call('chief', 'add_site', { name => 'Third', urls => [] })->{status}, 200, 'an administrator of all sites adds one');
is(call('admin', 'add_site', { name => 'Fourth' })->{status}, 404, 'one of some does not');
is(call('admin', $_, {})->{status}, 404, "$_ is not among the functions") for qw(create_log grant_analyst forget_subject delete_site pg_sleep report_visits);
is(problem_of(api($daemon, $session{admin}, 'admin/pg_shadow')), '404 not found', 'nor is any table');
is(join(' ', map { $_->{role} . ':' . ($_->{sites} ? join(',', @{ $_->{sites} }) : 'all') . ($_->{admin} ? ':admin' : '') } @{ api($daemon, $session{chief}, 'admin/users')->{data}{rows} }),
	'web_admin:1:admin web_analyst:all web_chief:all:admin web_one:1', 'users and their sites are shown');
for my $page (qw(sites settings goals dimensions segments profiles exclusions tracking_tokens tokens users functions))
{
	my $got = api($daemon, $session{admin}, "admin/$page?idsite=1");
	is($got->{status}, 200, "page $page of the administration");
	ok($got->{body} !~ /Blog|"idsite":2/, '  and nothing of the other site', $got->{body});
}
like(api($daemon, $session{admin}, 'admin/code?idsite=1&url=https://stats.example')->{data}{rows}[0]{code}, qr/pk\.js\?idsite=1/, 'and the tracking code');

like(api($daemon, $session{chief}, 'admin/status')->{body}, qr/"item":"log version"/, 'an administrator of all sites reads the status');
is(problem_of(api($daemon, $session{admin}, 'admin/status')), '403 not granted', 'one of some does not');

## tokens
my $token = json(call('one', 'create_web_token', { name => 'script' })->{body})->{result};
like($token, qr/^[0-9a-f]{64}$/, 'a role makes a token of its own');
my $bearer = { args => [ '-H', "Authorization: Bearer $token" ] };
is(api($daemon, $bearer, "visits?idsite=1&$days&period=range")->{data}{rows}[0]{nb_visits}, 10, 'which reads what the role reads');
is(api($daemon, $bearer, "visits?idsite=2&$days")->{status}, 400, 'and no more');
is(api($daemon, $bearer, 'session')->{data}{csrf} // 'none', 'none', 'it has no session');
is(problem_of(post($daemon, '/api/admin/create_web_token', { name => 'more' }, @{ $bearer->{args} })), '401 log in', 'and writes nothing');
is(problem_of(call('one', 'create_web_token', { name => 'x', role => 'web_chief' })), '403 not granted', 'a token of another role is not to be had');
is(problem_of(call('admin', 'create_web_token', { name => 'x', role => 'postgres' })), '403 not granted', 'nor of a superuser');
is(scalar @{ api($daemon, $session{analyst}, 'admin/tokens')->{data}{rows} }, 0, 'others do not see it');
my $hash = api($daemon, $session{one}, 'admin/tokens')->{data}{rows}[0]{hash};
is(json(call('analyst', 'drop_web_token', { hash => $hash })->{body})->{result}, 0, 'nor drop it');
is(json(call('one', 'drop_web_token', { hash => $hash })->{body})->{result}, 1, 'the role does');
is(problem_of(api($daemon, $bearer, "visits?idsite=1&$days")), '401 log in', 'and it is over');
is(problem_of(api($daemon, { args => [ '-H', "Authorization: Bearer $hash" ] }, 'session')), '401 log in', 'a hash is no token');
my $old = sql(q{SELECT pk_tracking.create_web_token('old', 'web_one', expires => now() - interval '1 s')});
is(problem_of(api($daemon, { args => [ '-H', "Authorization: Bearer $old" ] }, 'session')), '401 log in', 'nor is one that has expired');
is(sql(q{SELECT count(*) FROM pk_tracking.web_token WHERE octet_length(token_hash) <> 32}), 0, 'tokens are not stored');

## public links
my $link = sql(q{SELECT pk_tracking.create_web_token('press', 'web_analyst', 1)});
my $begin = request($daemon, "/public/$link");
is($begin->{status}, 303, 'a public link leads to the page');
my ($cookie) = header_of($begin, 'Set-Cookie') =~ /^([^;]*)/;
my $public = { args => [ '-H', "Cookie: $cookie" ] };
my $data = api($daemon, $public, 'session')->{data};
is(($data->{public} ? 'public' : '') . ' ' . ($data->{role} // 'none') . ' ' . join(' ', map { $_->{idsite} } @{ $data->{sites} }), 'public none 1', 'with one site and no role');
is(api($daemon, $public, "visits?idsite=$_&$days&period=range")->{data}{rows}[0]{nb_visits}, 10, "it has its site's numbers, though the address says $_") for 1, 2, '2%20OR%201=1';
is(api($daemon, $public, "pages?idsite=2&$days&format=csv")->{body} =~ /blog/ ? 'other' : 'own', 'own', 'as CSV, too');
my %public = map { $_->{name} => 1 } @{ api($daemon, $public, '')->{data}{reports} };
my @open = grep { my $r = $_; !$public{ $r->{name} } && api($daemon, $public, query_of($r, 1))->{status} != 404 } @$reports;
ok(!@open, 'reports that are not public are not there', map { $_->{name} } @open);
is(join(' ', grep { $public{$_} } qw(visit_log live visitor by goals_by evolution sites transitions custom_variables action_dimension)), '', 'no visit log, visitors or values of dimensions');
my @closed = grep { my $r = $_; $public{ $r->{name} } && api($daemon, $public, query_of($r, 1))->{status} != 200 } @$reports;
ok(!@closed, 'the others are', map { $_->{name} } @closed);
my @filtered = grep { api($daemon, $public, query_of($_, 1) . '&filter=userId%3D%3Dperson1')->{status} == 200 } grep { $public{ $_->{name} } } @$reports;
ok(!@filtered, 'and none takes a filter', map { $_->{name} } @filtered);
is(problem_of(api($daemon, $public, 'admin/tokens')), '404 not found', 'no administration');
is(problem_of(post($daemon, '/api/admin/create_web_token', { name => 'x' }, @{ $public->{args} }, '-H', "X-CSRF-Token: $data->{csrf}")), '404 not found', 'nor a token');
is(problem_of(request($daemon, '/public/' . '0' x 64)), '401 log in', 'a link that is made up is none');
is(problem_of(request($daemon, "/public/" . sql(q{SELECT pk_tracking.create_web_token('script', 'web_analyst')}))), '404 not found', 'nor is a token for scripts');
is(sql(q{SELECT pk_tracking.drop_web_token(hash) FROM pk_tracking.web_tokens() WHERE name = 'press'}), '1', 'dropped');
is(problem_of(api($daemon, $public, "visits?idsite=1&$days")), '401 log in', 'it ends at once');

## the roles that may not
like(eval { sql("SELECT pk_tracking.grant_web('web_super', 'web_daemon')"); 'granted' } // 'error', qr/error/, 'a superuser is not let in');
for my $attribute (qw(SUPERUSER CREATEROLE CREATEDB REPLICATION BYPASSRLS))
{
	sql("ALTER ROLE web_stranger $attribute");
	is(eval { sql("SELECT pk_tracking.grant_web('web_stranger', 'web_daemon')"); 'granted' } // 'error', 'error', "nor one with $attribute");
	sql("ALTER ROLE web_stranger NO$attribute");
}
sql('GRANT pg_read_all_data TO web_stranger');
is(eval { sql("SELECT pk_tracking.grant_web('web_stranger', 'web_daemon')"); 'granted' } // 'error', 'error', 'nor a member of a role of the server');
sql('REVOKE pg_read_all_data FROM web_stranger');
is(eval { sql("SELECT pk_tracking.grant_web('web_stranger', 'web_analyst')"); 'granted' } // 'error', 'error', 'nor does a role that inherits serve as the daemon');

web_done();
