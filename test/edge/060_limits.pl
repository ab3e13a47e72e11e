# What the internet may send, and how much of it.
use strict;
use warnings;
use Edge;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

database('pk_edge_limits');
my $port = free_port();
my $hit = '/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fshop.example.org%2Fsecret';

# raw(SOCKET, TEXT): the status lines of what comes back until the other end closes, or
# nothing comes for a second
sub raw
{
	my ($socket, $text) = @_;
	my $answer = '';

	print $socket $text;
	$socket->flush;
	my $in = '';
	vec($in, fileno($socket), 1) = 1;
	while (select(my $ready = $in, undef, undef, 1))
	{
		my $n = sysread $socket, $answer, 65536, length $answer;
		last unless $n;
	}
	return join ' ', $answer =~ m{HTTP/1\.[01] (\d+)}g, $answer =~ /^Connection: close/mi ? 'close' : ();
}
sub to_unix { return IO::Socket::UNIX->new(Peer => shift->{socket}) // die $!; }
sub to_port { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) // die $!; }
sub rows { return sql('SELECT count(*) FROM pk_tracking.action'); }

my $daemon = start_daemon(request_timeout => '2s', keepalive_timeout => '60s');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected');
sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action');

# --- framing: nothing ambiguous
my $head = "POST $hit HTTP/1.1\r\nHost: x\r\n";
for my $case (
	[ 'two lengths', "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=b" ],
	[ 'two different lengths', "Content-Length: 3\r\nContent-Length: 30\r\n\r\na=b" ],
	[ 'a list of lengths', "Content-Length: 3, 3\r\n\r\na=b" ],
	[ 'a length with a sign', "Content-Length: +3\r\n\r\na=b" ],
	[ 'a negative length', "Content-Length: -3\r\n\r\na=b" ],
	[ 'a hexadecimal length', "Content-Length: 0x3\r\n\r\na=b" ],
	[ 'a length that no number holds', "Content-Length: 99999999999999999999999\r\n\r\na=b" ],
	[ 'an empty length', "Content-Length: \r\n\r\na=b" ],
	[ 'length and encoding', "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" ],
	[ 'encoding and length', "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\na=b\r\n0\r\n\r\n" ],
	[ 'two encodings', "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" ],
	[ 'another encoding', "Transfer-Encoding: gzip\r\n\r\na=b" ],
	[ 'a list of encodings', "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" ],
	[ 'an encoding with a tab', "Transfer-Encoding: \x0bchunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" ],
	[ 'a blank before the colon', "Content-Length : 3\r\n\r\na=b" ],
	[ 'a folded line', "X-A: b\r\n Content-Length: 3\r\n\r\na=b" ],
	[ 'a name with a control', "X\x01A: b\r\nContent-Length: 3\r\n\r\na=b" ],
	[ 'two hosts', "Host: y\r\nContent-Length: 3\r\n\r\na=b" ],
	[ 'a value with a carriage return', "X-A: b\rContent-Length: 3\r\n\r\n" ],
	[ 'a wrong chunk', "Transfer-Encoding: chunked\r\n\r\nxyz\r\na=b\r\n0\r\n\r\n" ])
{
	my ($name, $rest) = @$case;
	my $status = raw(to_unix($daemon), $head . $rest . "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	ok(scalar($status =~ /^((4\d\d )+close)?$/), "framing: $name", "got: $status");
}
like(raw(to_unix($daemon), "POST $hit HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
	qr/^400( 400)* close$/, 'framing: chunks in HTTP/1.0');
is(rows(), 0, 'nothing of it is recorded');
like(raw(to_unix($daemon), "GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n"), qr/^((4|5)\d\d( close)?)?$/, 'another version of HTTP');
like(raw(to_unix($daemon), "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), qr/^(4\d\d( close)?)?$/, 'TLS on a plain port');
is(raw(to_unix($daemon), "${head}Content-Length: 3\r\n\r\na=bGET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET $hit HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), '200 200 200 close', 'requests behind each other on one connection');
is(raw(to_unix($daemon), "GET $hit HTTP/1.0\r\n\r\n"), '200 close', 'HTTP/1.0');
is(rows(), 3, 'these are recorded');

# --- sizes
is(request($daemon, $hit, '-d', 'x=' . 'y' x 100000)->{status}, 400, 'a form longer than 64 kB is invalid');
open my $big, '>', work_dir() . '/big' or die $!;
print $big '{"requests":["', 'x' x (2 * 1024 * 1024), '"]}';
close $big;
# The answer comes while the body is still being sent: a reset of the connection may
# overtake it, then curl has no status.  So the body is sent again, and no other status counts.
my $answer;
for (1 .. 5)
{
	$answer = request($daemon, '/matomo.php', '--data-binary', '@' . work_dir() . '/big');
	last if $answer->{status};
}
is($answer->{status}, 413, 'a body longer than 2 MB');
is(request($daemon, '/matomo.php', '-H', 'Transfer-Encoding: chunked', '--data-binary', '@' . work_dir() . '/big')->{status}, 413, 'in chunks');
is(request($daemon, $hit, '-H', 'X-A: ' . 'a' x 17000)->{status}, 431, 'a header longer than 16 kB');
is(request($daemon, $hit . '&x=' . 'y' x 17000)->{status}, 431, 'a target longer than that');
ok(scalar(request($daemon, $hit . "&x=y" x 20000)->{status} =~ /^(431|414|413|0)$/), 'very many parameters');
is(request($daemon, $hit . '&x=' . 'y' x 14000)->{status}, 200, 'a long target that fits');
is(request($daemon, $hit, map { ('-H', "X-$_: a") } 1 .. 300)->{status}, 400, 'very many headers');

# --- slow clients
local $SIG{PIPE} = 'IGNORE';
for my $case ([ 'header', "GET $hit HTTP/1.1\r\n", "X-A: a\r\n" ], [ 'body', "POST $hit HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", 'x' ])
{
	my ($part, $first, $drop) = @$case;
	my $slow = to_unix($daemon);
	my $began = time;
	print $slow $first;
	$slow->flush;
	while (time - $began < 20)
	{
		print $slow $drop or last;
		$slow->flush;
		my $in = '';
		vec($in, fileno($slow), 1) = 1;
		last if select($in, undef, undef, 0.3) && !sysread $slow, my $data, 1000;
	}
	ok(time - $began < 15, "a client that sends its $part in drops is cut off");
}
my $idle = to_unix($daemon);
is(raw($idle, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), '200', 'a connection that is kept');
ok(!grep({ /shop|secret|127\.0\.0\.1|uid|X-/ } slurp($daemon->{log})), 'the log shows nothing of all this', slurp($daemon->{log}));
Edge::stop_daemon($daemon);

# --- each address
$daemon = start_daemon(port => $port, trusted_proxies => '192.0.2.1', connections_per_address => 5, requests_per_address => 10);
my @open = map { to_port() } 1 .. 8;
my $served = 0;
for (@open) { $served++ if raw($_, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") eq '200'; }
is($served, 5, 'connections of an address');
@open = ();
ok(wait_for(10, sub { raw(to_port(), "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") eq '200 close' }), 'when they end there is room again');
my %status;
my $socket = to_port();
my $statuses = raw($socket, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" x 100);
$status{$_}++ for split / /, $statuses;
ok($status{200} >= 30 && $status{200} <= 70 && $status{429} >= 30, 'requests of an address in a second', $statuses);
Edge::stop_daemon($daemon);

# behind a proxy the visitor's address counts
sql(q{SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')});
$daemon = start_daemon(requests_per_address => 10);
ok(wait_for(20, sub { request($daemon, "${hit}0", '-H', 'X-Forwarded-For: 203.0.113.5')->{status} == 200 }), 'connected');
my $of = sub { my $a = shift; return "GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: $a\r\n\r\n" };
$statuses = raw(to_unix($daemon), $of->('203.0.113.7') x 100 . $of->('203.0.113.8'));
ok(scalar($statuses =~ /429.*200$/), 'behind a proxy the address of the visitor is limited, and no other', $statuses);
Edge::stop_daemon($daemon);
sql(q{SELECT pk_tracking.reset_instance('proxy_client_headers')});

# --- bodies on their way
$daemon = start_daemon(queue_max_size => '1MB');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected');
my $half = to_unix($daemon);
print $half "POST /matomo.php HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", 'x' x 990_000;
$half->flush;
my $room;
ok(wait_for(10, sub { $room = request($daemon, '/matomo.php', '-H', 'Expect:', '--data-binary', 'x' x 120_000); $room->{status} == 503 }), 'a body for which there is no room');
like($room->{headers}, qr/^Retry-After: 1$/m, 'may be sent again');
close $half;
ok(wait_for(10, sub { request($daemon, '/matomo.php', '-H', 'Expect:', '--data-binary', 'x' x 120_000)->{status} == 400 }), 'there is room again');
Edge::stop_daemon($daemon);

# --- the queue
sql('ALTER ROLE edge_tracker LOGIN');
$daemon = start_daemon(queue_max => 3, answer_timeout => '3s');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected');
sql('ALTER ROLE edge_tracker NOLOGIN');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_tracker'});
my @waiting = map { my $s = to_unix($daemon); print $s "GET $hit HTTP/1.1\r\nHost: x\r\n\r\n"; $s->flush; $s } 1 .. 3;
sleep 0.3;
my $began = time;
is(request($daemon, $hit)->{status}, 503, 'a full queue refuses');
ok(time - $began < 2.5, 'at once');
is(raw($waiting[0], ''), '', 'the others wait') if time - $began < 1;
sql('ALTER ROLE edge_tracker LOGIN');
Edge::stop_daemon($daemon);

# --- open files
$daemon = start_daemon(nofile => 60);
my @many = map { to_unix($daemon) } 1 .. 100;
sleep 0.5;
my ($user1, $system1) = (split ' ', slurp("/proc/$daemon->{pid}/stat"))[13, 14];
sleep 1;
my ($user2, $system2) = (split ' ', slurp("/proc/$daemon->{pid}/stat"))[13, 14];
ok($user2 + $system2 - $user1 - $system1 < 50, 'without files for more connections it does not spin', "$user1 $system1 $user2 $system2");
@many = ();
ok(wait_for(20, sub { request($daemon, '/healthz')->{status} == 200 }), 'when some end it takes others');
like(slurp($daemon->{log}), qr/limit of open files, 60.*could not accept a connection/s, 'and says so');
Edge::stop_daemon($daemon);

# --- start
$daemon = start_daemon(direct => 'off', wait => 0);
waitpid $daemon->{pid}, 0;
is($? >> 8, 1, 'on a socket, without a header of a proxy, it does not start');
like(slurp($daemon->{log}), qr/proxy_client_headers.*direct = on/, 'and says what to do');
$daemon->{pid} = 0;
sql(q{SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')});
$daemon = start_daemon(direct => 'off');
ok(wait_for(20, sub { request($daemon, "${hit}0", '-H', 'X-Forwarded-For: 203.0.113.7')->{status} == 200 }), 'with one it does');
if ($> == 0)
{
	my $uid = (split ' ', (grep { /^Uid/ } split /\n/, slurp("/proc/$daemon->{pid}/status"))[0])[1];
	ok($uid != 0, 'it is not root');
	my $root = start_daemon(user => '', wait => 0);
	waitpid $root->{pid}, 0;
	is($? >> 8, 1, 'it does not stay root');
	$root->{pid} = 0;
}
done();
