# The recorded requests of real trackers (test/clients/): sent by HTTP, they must
# give the rows that the SQL functions make of them.  Only their time is added, as
# cdt, moved to the last minutes: which of two visits was the last one counts.
use strict;
use warnings;
use Edge;
use FindBin;
use IO::Socket::UNIX;
use JSON::PP;
use Time::Local qw(timegm);

my $clients = "$FindBin::RealBin/../clients";
my @requests = map { decode_json($_) } map { split /\n/, slurp("$clients/$_.jsonl") } 'browser', 'server-side';
@requests = sort { $a->{at} cmp $b->{at} } @requests;

# each device has an address of its own
my %address;
for (@requests)
{
	my ($device) = split m{/}, $_->{client};
	my $n = keys(%address) + 1;
	$_->{address} = $address{$device} //= $n % 2 ? "203.0.$n.7" : "2001:db8:${n}::7";
}

# seconds since 1970
sub seconds
{
	my ($y, $mo, $d, $h, $mi, $sec) = shift =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/;
	return timegm($sec, $mi, $h, $d, $mo - 1, $y);
}
my $shift = time - 60 - seconds($requests[-1]{at});
for (@requests)
{
	$_->{query} .= '&cdt=' . ($shift + seconds($_->{at})) if defined $_->{query} && $_->{query} !~ /(^|&)cdt=/ && ($_->{body} // '') !~ /"requests"/;
}

# what must be equal: all but times, ids that are counted or random, and fingerprints
my $rows = <<'SQL';
WITH numbered AS (
	SELECT v.idvisit, rank() OVER (ORDER BY v.idvisit) AS n, min(v.idvisit) OVER (PARTITION BY v.idvisitor) AS visitor FROM pk_tracking.log_visit v)
SELECT 'visit ' || n.n || ' ' || (SELECT m.n FROM numbered m WHERE m.idvisit = n.visitor) || ' ' || (to_jsonb(v) - '{idvisit,idvisitor,visit_first_action_time,visit_last_action_time,visit_total_time,local_time,visitor_seconds_since_first,visitor_seconds_since_last,visitor_seconds_since_order}'::text[])
FROM numbered n JOIN pk_tracking.visit v USING (idvisit)
UNION ALL
SELECT 'action ' || row_number() OVER (ORDER BY a.idlink_va) || ' ' || n.n || ' ' || (to_jsonb(a) - '{idlink_va,idvisit,idvisitor,server_time,time_spent,time_spent_ref_action}'::text[])
FROM pk_tracking.action a JOIN numbered n USING (idvisit)
UNION ALL
SELECT 'conversion ' || n.n || ' ' || (to_jsonb(c) - '{idvisit,idvisitor,server_time,idlink_va,idaction_url,buster,visitor_seconds_since_first,visitor_seconds_since_order}'::text[])
FROM pk_tracking.log_conversion c JOIN numbered n USING (idvisit)
UNION ALL
SELECT 'item ' || n.n || ' ' || jsonb_build_array(i.idorder, i.quantity, i.price, i.deleted, (SELECT name FROM pk_tracking.log_action WHERE idaction = i.idaction_sku LIMIT 1))
FROM pk_tracking.log_conversion_item i JOIN numbered n USING (idvisit)
ORDER BY 1
SQL

sub prepare
{
	database(shift);
	sql(q{SELECT pk_tracking.add_goal(1, 'by hand', 'manually', allow_multiple => true), pk_tracking.add_dimension(1, 'level', 'action')});
	sql(q{UPDATE pk_tracking.site SET urls = ARRAY['http://127.0.0.1:8099', 'http://shop.example.org']});
	sql(q{INSERT INTO pk_tracking.token (token_hash, name) SELECT sha256(t::bytea), t FROM unnest('{abcdefabcdefabcdefabcdefabcdefab,t}'::text[]) t});
	sql(q{SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')});
}

my %header = (accept_language => 'Accept-Language', user_agent => 'User-Agent', referer => 'Referer', cookie => 'Cookie', dnt => 'DNT', gpc => 'Sec-GPC');

# --- by SQL
prepare('pk_edge_clients_sql');
my @wanted;
for my $r (@requests)
{
	my %headers = (%{ $r->{client_hints} // {} }, map { lc $header{$_} => $r->{$_} } grep { defined $r->{$_} } qw(referer cookie dnt gpc));
	my $bulk = ($r->{body} // '') =~ /"requests"/;
	my @values = map { defined $_ ? do { (my $v = $_) =~ s/'/''/g; "'$v'" } : 'NULL' }
	  ($bulk ? $r->{body} : join('&', grep { defined && length } $r->{body}, $r->{query}), $r->{address}, $r->{user_agent}, $r->{accept_language}, JSON::PP->new->canonical->encode(\%headers));
	my $query = sprintf "SELECT t.* FROM pk_tracking.%s(%s, ip => %s, user_agent => %s, accept_language => %s, headers => %s) t", $bulk ? 'track_requests_answer' : 'track_request', @values;
	$query =~ s/t\.\*/t.outcome/ unless $bulk;
	utf8::encode($query) if utf8::is_utf8($query);
	push @wanted, sql($query);
}
my $by_sql = sql($rows);

# --- by HTTP
prepare('pk_edge_clients');
my $daemon = start_daemon();
ok(wait_for(20, sub { request($daemon, '/matomo.php?idsite=1')->{status} == 200 }), 'connected');
my $socket = IO::Socket::UNIX->new(Peer => $daemon->{socket}) or die $!;
my ($good, $kept) = (0, 1);
for my $r (@requests)
{
	my $body = $r->{body} // '';
	my $text = "$r->{method} /matomo.php" . (length($r->{query} // '') ? "?$r->{query}" : '') . " HTTP/1.1\r\nHost: edge.example.org\r\nX-Forwarded-For: $r->{address}\r\n";
	$text .= "$header{$_}: $r->{$_}\r\n" for grep { defined $r->{$_} } sort keys %header;
	$text .= "$_: $r->{client_hints}{$_}\r\n" for sort keys %{ $r->{client_hints} // {} };
	utf8::encode($text) if utf8::is_utf8($text);
	utf8::encode($body) if utf8::is_utf8($body);
	$text .= 'Content-Length: ' . length($body) . "\r\n" if $r->{method} eq 'POST';
	print $socket "$text\r\n$body" or die $!;
	my $head = '';
	while (my $line = <$socket>)
	{
		last if $line eq "\r\n";
		$head .= $line;
	}
	my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;
	my $answer = '';
	read $socket, $answer, $length if $length;
	my $outcome = shift @wanted;
	my $expected = ($text . $body) =~ /[?&]send_image=0|"send_image":0/ ? 204 : $outcome eq 'invalid' ? 400 : 200;
	$good++ if $status == $expected && ($outcome !~ /^\{/ || $status == 204 || $answer eq $outcome);
	print "    $r->{client}: $status, not $expected; $outcome; $answer\n" if $status != $expected || ($status == 200 && $outcome =~ /^\{/ && $answer ne $outcome);
	$kept &&= $head !~ /^Connection: close/mi;
}
is($good, scalar @requests, 'every request has the answer of its outcome');
ok($kept, 'on one connection');
my $by_http = sql($rows);
my @sql = split /\n/, $by_sql;
my @http = split /\n/, $by_http;
ok(@sql > 100, 'there are rows to compare: ' . scalar @sql);
my %in_http = map { $_ => 1 } @http;
my %in_sql = map { $_ => 1 } @sql;
# by the first words: what differs
sub by_name { return map { /^(\w+ \d+(?: \d+)?) (.*)/ ? ($1 => $2) : ($_ => '') } @_; }
my %s = by_name(grep { !$in_http{$_} } @sql);
my %h = by_name(grep { !$in_sql{$_} } @http);
my @differences;
for my $name (sort keys %{ { %s, %h } })
{
	my ($x, $y) = map { my $t = $_->{$name} // '{}'; $t =~ /(\{.*\})/ ? decode_json($1) : { row => $t } } \%s, \%h;
	push @differences, "$name: " . join ', ', map { my ($a, $b) = map { JSON::PP->new->canonical->allow_nonref->encode($_) } $x->{$_}, $y->{$_}; $a ne $b ? "$_ $a by SQL, $b by HTTP" : () } sort keys %{ { %$x, %$y } };
}
ok(!@differences && @sql == @http, 'the rows are those that SQL makes', @differences[0 .. ($#differences > 9 ? 9 : $#differences)]);
Edge::stop_daemon($daemon);
Edge::psql('postgres', 'DROP DATABASE pk_edge_clients_sql');
done();
