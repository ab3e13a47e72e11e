# Hits that no good client would send, and some that one would: the recorded
# requests of test/clients and the scenarios of test/golden, taken apart, mixed
# and mutated, and plain noise.  All of it follows from the seed: batch B of seed S is
# always the same.
package Hits;
use strict;
use warnings;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;
my (@queries, @documents, @headers, @agents, @names, %values);
my (@odd_scruffy, @odd_text, @odd_json, @json, @json_scruffy);	# made once: it is these that take time

my @odd = (
	'', ' ', '0', '1', '2', '-1', '-2', '5', '01', '+1', '-0', '1.5', '.5', '1.', '1e5', '1e38', '1e39', '1e-38', '1e-999', '1e999999999', '9' x 39, '9' x 64, '2147483647', '2147483648',
	'-2147483648', '-2147483649', '9223372036854775807', '9223372036854775808', '9' x 20, 'NaN', 'Infinity', '-inf', '0x10', '1_000', '1,5', 'true', 'false', 'null', 'undefined',
	"\xff\xfe", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x9f\x98\x80", "\x00", "a\x00b", "\r\n", "\t", "\x1b[0m", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xcc\x81" x 50,
	'<b>&amp;&lt;', '&#0;&#x110000;&#55296;', "'; DROP TABLE x; --", '\\', '\\u0000', '%', '%%', '%2', '%zz', '%u00e9', '../../etc/passwd', '${x}', "\$1", '(((((', '[a-', '*' x 40, '(a+)+$',
	'[]', '{}', '[[]]', '[1', '{"1":', '"', '{"1":["a","b"]}', '{"1":["a"],"6":["x","y"],"x":1}', '[["S","N",["a","b"],"10.5",2]]', '[["S"],["S"],[null,{}],[[["S"]]]]', '[["S","N","C","1e300","99999999999"]]',
	'[' x 300, '[' x 1500, ('[' x 400) . (']' x 400), '{"a":' x 300, '{"1":' x 200 . '1' . '}' x 200, '"\ud800"', '["\u0000"]', '{"1":["\u0000","\ud83d\ude00"]}', '[1e999999]', '[' . join(',', ('1') x 600) . ']',
	'http://', 'http://[::1', 'http://a.example', 'https://a.example/?q=a%20b&kwd=c#d', '//', '///x', 'javascript:1', 'mailto:a@b.example', 'http://user:pw@h.example:99999/p;x?a[]=1&a[]=2#f?q=z', 'HTTP://A.EXAMPLE:80', 'http://a.example/' . ('d/' x 600),
	'http://%00', 'https://www.google.com/search?q=', 'https://www.google.com/search?q=%FF', 'https://l.facebook.com/l.php?u=x', 'http://a.example/?utm_campaign=%FF&utm_term=%', 'ftp://x', "http://\xc3\xa4.example/\xc3\xb6",
	'a' x 100, 'a' x 1024, 'a' x 1025, 'a' x 2500, "\xc3\xbc" x 600, "\xf0\x9f\x98\x80" x 400,
	'0123456789abcdef', 'FEDCBA9876543210', '0123456789abcde', '0123456789abcdefg', '0000000000000000', 'ffffffffffffffff', '550e8400-e29b-41d4-a716-446655440000',
	'203.0.113.5', '::1', '::ffff:1.2.3.4', '999.1.1.1', '1.2.3', 'fe80::1%eth0', '203.0.113.5:80', '[2001:db8::1]:443', '1.2.3.4/8', '0.0.0.0', '255.255.255.255',
	'2026-01-01', '2026-01-01 00:00:00', '2026-01-01T23:59:59+01:00', '1767225600', '0000-00-00', '2026-02-30 10:00', '294277-01-01', '-4713-01-01', '9999999999999', '2026-01-01 00:00:00.999999Z', 'now', 'infinity',
	'DE', 'de', 'xx', 'zzz', '91', '-91', '180.0001', 'fr-FR,fr;q=0.9', 'de-' . ('x' x 300), ('en,' x 500), '1280x1024', '-1x-1', '99999999x9', 'matomo_ignore', 'secret-token');

sub pick { return $_[int rand @_]; }
sub chance { return rand() < $_[0]; }

# load(directory of test/, names of parameters): what is mutated
sub load
{
	my ($test, @known) = @_;
	my (%seen, %agent);

	for my $file ("$test/clients/browser.jsonl", "$test/clients/server-side.jsonl")
	{
		for my $r (map { $json->decode($_) } lines($file))
		{
			push @queries, $r->{query} if ($r->{query} // '') ne '';
			push @documents, $r->{body} if ($r->{body} // '') =~ /"requests"/;
			push @headers, { %{ $r->{client_hints} // {} }, map { ($_ => $r->{$_}) } grep { defined $r->{$_} } qw(cookie referer) };
			$agent{ $r->{user_agent} } = 1 if defined $r->{user_agent};
		}
	}
	for my $file (sort glob "$test/golden/data/*.jsonl")
	{
		my $n = 0;

		for my $line (lines($file))
		{
			next if $n++ % 5;
			for my $h (@{ $json->decode($line)->{hits} // [] })
			{
				my $p = $h->{params} or next;
				my $q = join '&', 'idsite=1', 'rec=1', map { "$_=" . escape(ref $p->{$_} ? $json->encode($p->{$_}) : to_bytes($p->{$_} // '')) } grep { !/^(idsite|rec)$/ } sort keys %$p;

				push @queries, $q unless $seen{$q}++;
				$agent{ $h->{ua} } = 1 if defined $h->{ua} && !ref $h->{ua};
			}
		}
	}
	@agents = map { to_bytes($_) } sort keys %agent;
	for my $q (@queries)
	{
		for (split /&/, $q)
		{
			my ($n, $v) = split /=/, $_, 2;
			push @{ $values{$n} }, $v // '' if @{ $values{$n} // [] } < 200;
		}
	}
	my %all = map { ($_ => 1) } @known, keys %values;
	@names = (sort(keys %all), 'search_cat[]', map({ "dimension$_" } 0 .. 4), qw(utm_campaign utm_term pk_cpn mtm_campaign _idn idsite[] url[] consent h[] cvar[1] %69dsite));

	srand(1);
	@odd_text = map { to_text($_) } @odd;
	@odd_json = map { quote($_) } @odd_text;
	@odd_scruffy = map { scruffy($_) } @odd, @odd;
	@json = map { any_json(4) } 1 .. 2000;
	@json_scruffy = map { scruffy($_) } @json;
	return scalar @queries;
}

# a text as JSON
sub quote
{
	my $t = shift;

	$t =~ s/([\x00-\x1f"\\])/sprintf '\\u%04x', ord $1/ge;
	return qq("$t");
}

sub lines
{
	open my $f, '<', $_[0] or die "$_[0]: $!\n";
	return <$f>;
}

sub to_bytes { my $t = shift; utf8::encode($t) if utf8::is_utf8($t); return $t; }
sub escape { my $t = shift; $t =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; return $t; }

# bytes as an URL may carry them: plain where that can be, in one of several escapes else
sub scruffy
{
	my $t = shift;

	$t =~ s/([^A-Za-z0-9_.~-])/my $o = ord $1; $o > 32 && $o < 127 && $1 !~ m{[&%+#]} && chance(0.5) ? $1 : $o == 32 && chance(0.5) ? '+' : sprintf chance(0.5) ? '%%%02X' : '%%%02x', $o/ge;
	return $t;
}


# something deep, wide or of the wrong type, as JSON
sub any_json
{
	my $depth = shift // 4;
	my $kind = int rand($depth > 0 ? 8 : 5);

	return $kind == 0 ? pick(qw(null true false 0 1 -1 1.5 1e10 99999999999999999999 1e-400 123456789012345678901234567890.5))
		: $kind <= 3 ? pick(@odd_json)
		: $kind == 4 ? '"' . pick(@names) . '"'
		: $kind == 5 ? '{' . join(',', map { '"' . pick(1 .. 6, @names, '', 'requests', 'brands') . '":' . any_json($depth - 1) } 1 .. rand 5) . '}'
		: '[' . join(',', map { any_json($depth - 1) } 1 .. rand 6) . ']';
}

# valid characters of whatever bytes
sub to_text
{
	my $t = shift;

	return $t unless $t =~ /[^\x01-\x7f]/;
	utf8::decode($t) or utf8::upgrade($t);
	$t =~ s/[\x00\x{d800}-\x{dfff}\x{110000}-\x{7fffffff}]//g;
	return $t;
}

sub value
{
	my $name = shift;
	my $r = rand;

	return $r < 0.45 && $values{$name} ? pick(@{ $values{$name} })
		: $r < 0.5 ? pick(@{ $values{ pick(keys_of_values()) } })
		: $r < 0.6 || $name =~ /^(uadata|_?cvar|ec_items|_pkc)$/ && chance(0.5) ? pick(@json_scruffy)
		: $r < 0.65 ? scruffy(join '', map { chr int rand 256 } 1 .. rand 60)
		: pick(@odd_scruffy);
}
my @value_names;
sub keys_of_values { @value_names = sort keys %values unless @value_names; return @value_names; }

# change bytes of a text; what comes is as good or bad UTF-8 as before
sub garble
{
	my $t = shift;

	for (1 .. 1 + int rand 4)
	{
		my $at = int rand(1 + length $t);
		my $r = int rand 7;

		if ($r == 0) { substr($t, $at, 1 + int rand 8, ''); }
		elsif ($r == 1) { substr($t, $at, 0, pick('%', '&', '=', '#', '?', ';', '+', '%00', '%FF', '%C3', '[', ']', '"', "\x01", '%25')); }
		elsif ($r == 2) { substr($t, $at, 0, chr(32 + int rand 95)); }
		elsif ($r == 3) { $t = substr($t, 0, $at); }
		elsif ($r == 4) { substr($t, $at, 0, substr($t, int rand(1 + length $t), int rand 40)); }
		elsif ($r == 5) { substr($t, $at, 0, sprintf '%%%02x', int rand 256); }
		else { substr($t, $at, 1, chr(48 + int rand 75)) if $at < length $t; }
	}
	return $t;
}

sub visitor { return sprintf '%016x', 1 + int(rand 12) * 0x1234567; }

# a query string, without the question mark
sub query
{
	my $r = rand;
	my @p;

	return join '', map { chr(1 + int rand 126) } 1 .. rand 200 if $r < 0.02;
	return join '&', map { pick(@names) . '=' . value('') } 0 .. rand 8 if $r < 0.04;
	@p = grep { !/^(_id|cid)=/ || chance(0.3) } split /&/, pick(@queries);
	# who, where
	@p = grep { !/^(idsite|rec|token_auth)=/ } @p;
	push @p, 'idsite=' . (1 + int rand 4), 'rec=1';
	push @p, '_id=' . visitor() if chance(0.6);
	push @p, 'cid=' . visitor() if chance(0.05);
	push @p, 'uid=user' . int rand 9 if chance(0.1);
	push @p, 'token_auth=secret-token' if chance(0.4);
	# without a token these make most hits invalid
	@p = grep { !/^(cip|cdt|cdo)=/ || chance(0.5) } @p;
	for (1 .. rand 5)
	{
		my $op = int rand 10;

		if ($op <= 3) { my $n = pick(@names); push @p, "$n=" . value($n); }
		elsif ($op == 4) { my $n = pick(@names); @p = grep { !/^\Q$n\E=/ } @p; }
		elsif ($op == 5 && @p) { my $i = int rand @p; my ($n) = split /=/, $p[$i]; $n //= ''; $p[$i] = "$n=" . value($n); }
		elsif ($op == 6 && @p) { my $i = int rand @p; push @p, $p[$i]; }
		elsif ($op == 7 && @p) { my $i = int rand @p; $p[$i] = garble($p[$i]); }
		elsif ($op == 8) { my $n = pick(@names); push @p, map { "$n=" . value($n) } 1 .. rand 20; }
		else { push @p, pick('e_c=' . value('e_c') . '&e_a=' . value('e_a'), 'search=' . value('search'), 'download=' . value('download'), 'link=' . value('link'), 'c_n=' . value('c_n'),
			'idgoal=' . pick(0 .. 4) . '&revenue=' . value('revenue'), 'idgoal=0&ec_id=' . pick('o' . int rand 9999, value('ec_id')) . '&ec_items=' . value('ec_items'), 'idgoal=0&ec_items=' . value('ec_items'), 'ping=' . pick(1 .. 7), 'new_visit=1', 'uia=' . pick(0, 1), 'bots=1'); }
	}
	my $q = join '&', @p;
	$q = garble($q) if chance(0.05);
	$q .= '&' . pick(@names) . '=' . pick('[', '{"a":', '[{"1":') x pick(7000, 20000) if chance(0.001);
	$q .= '&x=' . 'y' x pick(1000, 60000, 70000) if chance(0.002);
	return $q;
}

sub headers
{
	my %h = chance(0.5) ? %{ pick(@headers) } : ();

	$h{cookie} = join '; ', map {
		pick('_pk_uid=' . visitor(), '_pk_uid=0=' . pick(visitor(), 'MDEyMzQ1Njc4OWFiY2RlZg==', '!!!') . ':' . 'f' x 40, 'matomo_ignore=' . pick('ignore=Kg==', 'ignore%3DKg%3D%3D', '*'), '_pk_uid', '=',
			'_pk_uid=' . value('_id'), 'x' x 300 . '=1', pick(@odd_text)) } 0 .. rand 3 if chance(0.3);
	$h{'x-forwarded-for'} = join pick(',', ', ', ' ,, '), map { pick('198.51.100.' . int rand 256, '10.0.0.1', 'unknown', '[2001:db8::2]:80', '"quoted"', '_hidden', pick(@odd_text)) } 0 .. rand 4 if chance(0.3);
	$h{pick(qw(dnt x-do-not-track sec-gpc x-purpose x-moz referer user-agent accept-language authorization forwarded), grep { /^sec-/ } keys %{ $headers[0] })}
		= pick('1', '0', 'prefetch', 'preview', 'Bearer secret-token', 'bearer', pick(@odd_text), to_text(pick(@agents))) for 1 .. rand 2;
	# a value of another type than text
	my @h = map { quote(to_text($_)) . ':' . (chance(0.01) ? pick(@json) : quote(to_text($h{$_}))) } sort keys %h;
	return '{' . join(',', @h) . '}';
}

sub agent
{
	return chance(0.8) ? pick(@agents) : chance(0.5) ? garble(pick(@agents)) : chance(0.5) ? pick('', 'curl/8', 'Googlebot/2.1', 'Mozilla/5.0 (compatible; bingbot/2.0)', 'x' x 5000, '(' x 300) : undef;
}

sub document
{
	my @r = map {
		my $k = rand;
		$k < 0.75 ? quote(to_text('?' . query()))
			: $k < 0.9 ? '{"idsite":' . pick(1 .. 5, '"1"') . ',"rec":1' . join('', map { my $n = pick(@names); ',' . quote($n) . ':' . pick(@json) } 1 .. rand 6) . '}'
			: pick(@json);
	} 1 .. 1 + rand(chance(0.03) ? 80 : 6);
	my $list = '[' . join(',', @r) . ']';
	my $r = rand;

	return $r < 0.7 ? '{"requests":' . $list . (chance(0.5) ? ',"token_auth":' . pick('"secret-token"', '"x"', pick(@json)) : '') . ',"send_image":0}'
		: $r < 0.85 ? $list
		: $r < 0.9 ? pick(@documents)
		: $r < 0.97 ? garble(pick(@documents, '{"requests":' . $list . '}'))
		: pick(@json);
}

# batch(seed, batch, how many): rows of fuzz.input as lines for COPY
sub batch
{
	my ($seed, $batch, $n) = @_;
	my $out = '';

	srand($seed * 7919 + $batch);
	for my $i (1 .. $n)
	{
		my $single = !chance(0.1);
		my $t = 1767225600 + ($batch * $n + $i) * 6 - (chance(0.05) ? int rand 5000 : 0);
		my @at = gmtime $t;
		my $at = sprintf '%d-%02d-%02d %02d:%02d:%02d+00', $at[5] + 1900, $at[4] + 1, @at[3, 2, 1, 0];
		my @row = (
			$i,
			$single ? (chance(0.2) ? '?' : chance(0.05) ? 'https://t.example/matomo.php?' : '') . query() : undef,
			$single ? undef : document(),
			chance(0.05) ? undef : pick('203.0.113.' . int rand 5, '203.0.115.' . int rand 3, '198.51.100.7', '2001:db8::' . int rand 9, '::ffff:203.0.113.9', '10.0.0.1', '0.0.0.0', '127.0.0.1', '203.0.113.0/24'),
			agent(),
			chance(0.1) ? undef : pick('de', 'de-AT,de;q=0.9,en;q=0.5', 'fr-FR', '*', pick(@odd_text)),
			chance(0.002) ? pick('infinity', '-infinity', '1990-01-01', '2300-01-01', '4713-01-01 BC') : $at,
			chance(0.4) ? undef : headers(),
			chance(0.1) ? 't' : 'f');
		$out .= join("\t", map { defined $_ ? copy_text($_) : '\\N' } @row) . "\n";
	}
	return $out;
}

# stream(seed, batch, how many): rows of a raw table as lines for COPY: n, query, ip,
# user_agent, accept_language, at, headers; all of them are hits
sub stream
{
	my ($seed, $batch, $n) = @_;
	my $out = '';

	srand($seed * 15485863 + $batch);
	for my $i (1 .. $n)
	{
		my $query = query();
		my @at = gmtime(1767225600 + $i * 6 - (chance(0.05) ? int rand 5000 : 0));
		# a text without any query string is no request, and in no count
		$query = 'idsite=1&rec=1' if $query eq '' || $query =~ /\?$/;
		my @row = (
			$i, $query,
			chance(0.05) ? undef : pick('203.0.113.' . int rand 5, '203.0.115.' . int rand 3, '198.51.100.7', '2001:db8::' . int rand 9, '::ffff:203.0.113.9', '10.0.0.1', '198.51.100.9, 10.0.0.1', pick(@odd_text)),
			agent(),
			chance(0.1) ? undef : pick('de', 'de-AT,de;q=0.9,en;q=0.5', 'fr-FR', '*', pick(@odd_text)),
			chance(0.002) ? pick(undef, 'infinity', '1990-01-01', '2300-01-01', '4713-01-01 BC') : sprintf('%d-%02d-%02d %02d:%02d:%02d+00', $at[5] + 1900, $at[4] + 1, @at[3, 2, 1, 0]),
			chance(0.6) ? undef : headers());
		$out .= join("\t", map { defined $_ ? copy_text($_) : '\\N' } @row) . "\n";
	}
	return $out;
}

# valid UTF-8 without NUL, as COPY wants it
sub copy_text
{
	my $t = shift;

	$t = to_bytes(to_text($t)) if utf8::is_utf8($t) || $t =~ /[^\x01-\x7f]/;
	$t =~ s/\\/\\\\/g;
	$t =~ s/\t/\\t/g;
	$t =~ s/\n/\\n/g;
	$t =~ s/\r/\\r/g;
	return $t;
}

my %settings = (
	recognition_rules => [qw(piwik matomo)], window_look_back_for_visitor => [0, 3600, 604800], visit_standard_length => [1, 60, 1800], trust_visitors_cookies => [qw(on off)],
	use_third_party_id_cookie => [qw(on off)], force_cookieless_tracking => [qw(on off)], enable_fingerprinting_across_websites => [qw(on off)], fingerprint_ip => [qw(full masked)],
	fingerprint_salt_rotation => [qw(never daily)], use_fingerprint => [qw(on off)], enable_userid_overwrites_visitorid => [qw(on off)], create_new_visit_after_midnight => [qw(on off)],
	create_new_visit_when_campaign_changes => [qw(on off)], create_new_visit_when_website_referrer_changes => [qw(on off)], create_new_visit_after_x_actions => [0, 1, 5, 10000],
	session_max_duration => [0, 1, 600], session_limit_exceeded_action => [qw(just_split split_and_exclude)], default_time_one_page_visit => [0, 30], order_id_conflict => [qw(first keep)], new_names_per_day => [0, 5, 100000], ip_mask_level => [0 .. 4], geo_ip => [qw(full masked)],
	consent_mode => [qw(not_asked ask_else_nothing ask_else_anonymous)], consent_upgrade => [qw(continue split)], anonymous_session_cookie => [qw(on off)], anonymous_fingerprint => [qw(on off)],
	anonymous_geo_level => [qw(city country none)], geo_level => [qw(city continent none)], anonymous_device_level => [qw(full family none)], anonymize_user_id => [qw(on off)], anonymize_order_id => [qw(on off)], discard_user_id => [qw(on off)],
	anonymize_referrer => [qw(keep exclude_query exclude_path exclude_all)], track_bots => [qw(on off)], exclude_automation => [qw(on off)], excluded_ips => ['{}', '{203.0.113.0/28,10.*.*.*}'], excluded_user_agents => ['{}', '{curl,/fire.?fox/i}'],
	excluded_query_parameters => ['{}', '{a,/^x/}'], excluded_referrers => ['{}', '{google.com}'], exclude_unknown_urls => [qw(on off)], exclude_requests => ['', 'e_c==Video,action_name=^t', 'url=@%2C'],
	respect_do_not_track => [qw(on off)], enable_spam_filter => [qw(on off)], keep_url_fragment => [qw(on off)], page_maximum_length => [32, 100, 1024, 65535], site_search => [qw(on off)],
	site_search_query_parameters => ['{q,s}', '{action_name}', '{}'], site_search_category_parameters => ['{}', '{cat,kwd}'], tracking_requests_require_authentication => [qw(on off)],
	tracking_requests_require_authentication_when_custom_timestamp_newer_than => [0, 86400], bulk_requests_require_authentication => [qw(on off)], bulk_requests_limit => [1000, 10000], proxy_client_headers => ['{}', '{x-forwarded-for,forwarded}'],
	proxy_ips => ['{}', '{10.0.0.0/8,2001:db8::/32}'], proxy_ip_read_last_in_list => [qw(on off)], campaign_var_name => ['{utm_campaign}', '{e_c,url}']);

# settings(seed, batch): [site or 0, name, value] ..., to be set before the batch
sub settings
{
	my ($seed, $batch) = @_;
	my @result;

	srand($seed * 104729 + $batch);
	# every fourth batch is one of defaults
	return () if $batch % 4 == 0;
	for my $name (sort keys %settings)
	{
		next unless chance(0.15);
		push @result, [ pick(0, 0, 1 .. 4), $name, pick(@{ $settings{$name} }) ];
	}
	return @result;
}

1;
