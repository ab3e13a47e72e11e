# What operators see: options, manual, units, readiness, reload, stop, health, metrics, log.
use strict;
use warnings;
use Edge;
use FindBin;
use IO::Socket::UNIX;
use Socket;
use Time::HiRes 'sleep';

my $top = "$FindBin::RealBin/../..";
my $work = work_dir();
my $program = $ENV{PK_TRACKING_HTTPD} // do { my $b = `"$ENV{PG_CONFIG}" --bindir`; chomp $b; "$b/pk_tracking_httpd" };

sub put { my ($file, $text) = @_; open my $f, '>', $file or die "$file: $!"; print $f $text; close $f }
sub output { my $out = `$_[0] 2>&1`; return ($?, $out) }
sub has { return system("command -v $_[0] >/dev/null 2>&1") == 0 }

## arguments
my ($status, $out) = output("$program --version");
like($out, qr/^pk_tracking_httpd \d+\.\d+\n$/, 'it tells its version');
($status, $out) = output("$program --sample");
is($out, slurp("$top/edge/httpd.conf"), 'edge/httpd.conf is what --sample writes');
put("$work/all.conf", $out =~ s/^#(\w+ = )/$1/mgr);
is((output("$program --check --config $work/all.conf"))[1], '', 'and holds with each line in force');
my %default = $out =~ /^#(\w+) = (.*)$/mg;
my $manual = slurp("$top/edge/pk_tracking_httpd.8");
my %described = $manual =~ /^\.It Ic (\w+)\n(?:(?!\.It|Default).*\n)+Default: (.*)\.$/mg;
for my $name (sort keys %default)
{
	is($described{$name}, $default{$name} eq "''" ? 'none' : $default{$name}, "the manual has option $name with its default");
}
is(join(' ', sort grep { !exists $default{$_} } keys %described), '', 'and no other option');
put("$work/bad.conf", "listen = 127.0.0.1:1\nlock_timeout = 5\n\nno_such = 1\ntracking = perhaps\nspool_max_size = 1kB\nnonsense\n");
($status, $out) = output("$program --check --config $work/bad.conf");
is($status >> 8, 1, 'a bad file is an error');
like($out, qr/bad\.conf:$_/, "and its line $_ is named") for 2, 4, 5, 6, 7;
put("$work/bad.conf", "listen = 127.0.0.1\ntrusted_proxies = '10.0.0.0/8, nobody'\nmetrics_allow = 1.2.3\nspool_directory = spool\nscripts = /no/such\ndatabase = 'password=verysecret nonsense'\n");
($status, $out) = output("$program --check --config $work/bad.conf");
is($status >> 8, 1, 'so is one with values that mean nothing');
like($out, qr/"$_"/, "option $_ is named") for qw(listen trusted_proxies metrics_allow spool_directory scripts database);
is(index($out, 'verysecret'), -1, 'and no password is shown');
for my $listen ('localhost:http', '[::1]', '127.0.0.1:99999')
{
	put("$work/bad.conf", "listen = $listen\n");
	like((output("$program --check --config $work/bad.conf"))[1], qr/without a port: "\Q$listen\E"/, "$listen has no port");
}
is((output("$program --check --config $work/no.conf"))[0] >> 8, 1, 'so is no file');
is((output("$program nonsense"))[0] >> 8, 2, 'a wrong argument is status 2');

## manual and units
if (has('mandoc'))
{
	$out = join '', grep { !/makewhatis/ } split /^/, (output("mandoc -T lint $top/edge/pk_tracking_httpd.8"))[1];
	is($out, '', 'mandoc finds nothing in the manual');
}
if (has('man'))
{
	is((output("LC_ALL=C.UTF-8 man --warnings $top/edge/pk_tracking_httpd.8 >/dev/null"))[1], '', 'man formats it without a warning');
}
if (has('systemd-analyze'))
{
	for my $unit (qw(service socket))
	{
		put("$work/pk_tracking_httpd.$unit", slurp("$top/edge/pk_tracking_httpd.$unit") =~ s/^Documentation.*\n//mr =~ s{\@sbindir\@/pk_tracking_httpd}{$program}gr);
	}
	put("$work/pk_tracking_web.service", slurp("$top/edge/pk_tracking_web.service") =~ s/^Documentation.*\n//mr =~ s{\@sbindir\@/pk_tracking_httpd}{$program}gr);
	is((output("systemd-analyze verify $work/$_"))[1], '', "systemd finds nothing in $_") for qw(pk_tracking_httpd.service pk_tracking_httpd.socket pk_tracking_web.service);
	is((output("systemd-analyze security --offline=true --threshold=20 $work/$_.service"))[0], 0, "the service $_ is hardened") for qw(pk_tracking_httpd pk_tracking_web);
}

database('pk_edge_operations');
my $hit = '/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fshop.example.org%2Fsecretpage&_id=0123456789abcdef';

## without a header of the proxy
my $daemon = start_daemon(direct => 'off', wait => 0);
waitpid $daemon->{pid}, 0;
is($? >> 8, 1, 'behind a proxy it does not start without the header that tells visitors apart');
like(slurp($daemon->{log}), qr/proxy_client_headers/, 'and says what to do');
$daemon->{pid} = 0;
sql(q{SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')});
$daemon = start_daemon(direct => 'off');
is(request($daemon, $hit, '-H', 'X-Forwarded-For: 203.0.113.9')->{status}, 200, 'with it, it does');
is(sql("SELECT location_ip FROM pk_tracking.visit"), '203.0.0.0', 'and takes the address from it');
my $process = slurp("/proc/$daemon->{pid}/status");
my ($uid) = $process =~ /^Uid:\s+(\d+\s+\d+\s+\d+\s+\d+)$/m;
if ($> == 0)
{
	my $wanted = getpwnam('postgres');
	is($uid, join("\t", ($wanted) x 4), 'started as root, it is root no longer');
	like($process, qr/^CapEff:\s+0+$/m, 'and has no right of it left');
	is(join(' ', $process =~ /^Groups:.*\b0\b/mg), '', 'nor its group');
}
like(slurp("/proc/$daemon->{pid}/limits"), qr/^Max core file size\s+0\s+0\s/m, 'it writes no core');
Edge::stop_daemon($daemon);

## health and metrics
sub metrics
{
	my ($daemon) = @_;
	my $page = request($daemon, '/metrics');
	my (%value, %type, %help, @bad, $last);

	push @bad, "status $page->{status}" if $page->{status} != 200;
	push @bad, 'content type' unless $page->{headers} =~ m{^Content-Type: text/plain; version=0\.0\.4}m;
	for my $line (split /\n/, $page->{body})
	{
		if ($line =~ /^# HELP ([a-z_]+) \S.*\.$/)
		{
			push @bad, "second help: $1" if $help{$1}++;
			$last = $1;
		}
		elsif ($line =~ /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/)
		{
			push @bad, "type of $1 not behind its help" if $1 ne $last;
			$type{$1} = $2;
			push @bad, "counter $1 does not end in _total" if $2 eq 'counter' && $1 !~ /_total$/;
		}
		elsif ($line =~ /^([a-z_]+)(\{[a-z]+="[^"\\]*"\})? (\d+(?:\.\d+)?)$/)
		{
			my ($name, $key, $number) = ($1, "$1" . ($2 // ''), $3);
			(my $base = $name) =~ s/_(bucket|sum|count)$// if ($type{$last} // '') eq 'histogram';
			push @bad, "no type: $line" unless $type{ $base // $name };
			push @bad, "not below its own head: $line" if ($base // $name) ne $last;
			push @bad, "twice: $key" if exists $value{$key};
			$value{$key} = $number;
		}
		else { push @bad, "line: $line" }
	}
	for my $name (grep { $type{$_} eq 'histogram' } keys %type)
	{
		my $before = 0;
		for my $bucket (grep { /^\Q$name\E_bucket/ } $page->{body} =~ /^(\S+_bucket\{\S+\})/mg)
		{
			push @bad, "buckets of $name fall" if $value{$bucket} < $before;
			$before = $value{$bucket};
		}
		push @bad, "$name has no last bucket" unless ($value{"${name}_bucket{le=\"+Inf\"}"} // -1) == ($value{"${name}_count"} // -2);
	}
	return { bad => join('; ', @bad), %value };
}

$daemon = start_daemon();
is(request($daemon, '/healthz')->{status}, 200, '/healthz is well with PostgreSQL there');
my $before = metrics($daemon);
is($before->{bad}, '', '/metrics has the form that Prometheus reads');
request($daemon, $hit) for 1 .. 3;
request($daemon, '/matomo.php?idsite=99&rec=1');
request($daemon, "$hit&rec=0");
my $after = metrics($daemon);
is($after->{bad}, '', 'also after some hits');
sub more { my $name = shift; return $after->{$name} - $before->{$name} }
is(more('pk_tracking_hits_total{outcome="recorded"}'), 3, 'hits are counted by outcome');
is(more('pk_tracking_hits_total{outcome="invalid"}'), 1, 'invalid ones, too');
is(more('pk_tracking_hit_duration_seconds_count'), 5, 'each has its time');
is($after->{'pk_tracking_batch_hits_sum'}, '5.000000', 'and stands in a batch');
is($after->{pk_tracking_database_up}, 1, 'PostgreSQL is up');
is(request($daemon, '/metrics', '-H', 'X-Forwarded-For: 127.0.0.1')->{status}, 404, '/metrics is not for who comes by a proxy');

## PostgreSQL is there, but refuses hits
sql('REVOKE EXECUTE ON FUNCTION pk_tracking.track_batch FROM edge_tracker');
{
	my $refused = start_daemon(answer_timeout => '100ms');
	is(request($refused, $hit)->{status}, 503, 'without its rights hits are refused');
	is(metrics($refused)->{pk_tracking_database_up}, 0, 'and it does not count as up');
	sql(q{SELECT pk_tracking.grant_tracker('edge_tracker', edge => true)});
	ok(wait_for(20, sub { request($refused, $hit)->{status} == 200 }), 'with them, they are taken');
	is(metrics($refused)->{pk_tracking_database_up}, 1, 'and it counts as up');
	Edge::stop_daemon($refused);
}

## two daemons at one socket, and a file that is none
my $second = start_daemon(listen => $daemon->{socket}, wait => 0);
waitpid $second->{pid}, 0;
is($? >> 8, 1, 'a second daemon does not take the socket of the first');
like(slurp($second->{log}), qr/could not listen on ".*": Address already in use/, 'and says so');
$second->{pid} = 0;
is(request($daemon, $hit)->{status}, 200, 'which goes on');
put("$work/precious", 'text');
$second = start_daemon(listen => "$work/precious", wait => 0);
waitpid $second->{pid}, 0;
$second->{pid} = 0;
is(slurp("$work/precious"), 'text', 'a file that is no socket is not removed');

## reload: a good file, a bad one
my $conf = slurp($daemon->{config});
put($daemon->{config}, $conf . "metrics_allow = ''\nconnections = 3\n");
kill 'HUP', $daemon->{pid};
ok(wait_for(20, sub { request($daemon, '/metrics')->{status} == 404 }), 'a reload changes an option');
like(slurp($daemon->{log}), qr/"connections" cannot be changed without a restart/, 'and names one that it cannot change');
put($daemon->{config}, $conf . "tracking = off\nnonsense\n");
kill 'HUP', $daemon->{pid};
ok(wait_for(20, sub { slurp($daemon->{log}) =~ /the configuration was not changed/ }), 'a reload of a bad file');
is(request($daemon, $hit)->{status}, 200, 'changes nothing');
put($daemon->{config}, $conf . "tracking = off\n");
kill 'HUP', $daemon->{pid};
ok(wait_for(20, sub { request($daemon, $hit)->{status} == 503 }), 'tracking = off answers 503');
Edge::stop_daemon($daemon);

## who is no proxy
$daemon = start_daemon(trusted_proxies => '10.0.0.1');
request($daemon, $hit, '-H', 'X-Forwarded-For: 203.0.113.77') for 1 .. 3;
is(metrics($daemon)->{pk_tracking_untrusted_forwarded_total}, 3, 'headers of proxies from others are counted');
is(scalar(() = slurp($daemon->{log}) =~ /trusted_proxies/g), 1, 'and told once');
Edge::stop_daemon($daemon);

## systemd
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$work/notify") or die $!;
chmod 0777, "$work/notify";
sub told
{
	my $wanted = shift;
	local $SIG{ALRM} = sub { die "timeout\n" };
	alarm 30;
	my $found = eval { while (1) { $manager->recv(my $message, 1000); return 1 if $message =~ $wanted } };
	alarm 0;
	return $found;
}
{
	local $ENV{NOTIFY_SOCKET} = "$work/notify";
	local $ENV{WATCHDOG_USEC} = 200000;
	$daemon = start_daemon();
}
ok(told(qr/^READY=1/), 'systemd is told when it is ready');
ok(told(qr/^WATCHDOG=1/), 'and that it lives');
ok(told(qr/^WATCHDOG=1/), 'again and again');
kill 'HUP', $daemon->{pid};
ok(told(qr/^RELOADING=1\nMONOTONIC_USEC=\d+/), 'that it reloads');
ok(told(qr/^READY=1/), 'and has done so');
kill 'TERM', $daemon->{pid};
ok(told(qr/^STOPPING=1/), 'and that it stops');
waitpid $daemon->{pid}, 0;
is($?, 0, 'with status 0');
$daemon->{pid} = 0;

# socket activation: the socket outlives the daemon
my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$work/activated", Listen => 1000) or die $!;
chmod 0777, "$work/activated";
sub activated
{
	my ($conf) = @_;
	my $pid = fork // die $!;

	return $pid if $pid;
	open STDERR, '>>', "$work/activated.log";
	open STDOUT, '>&', \*STDERR;
	$^F = 10;
	require POSIX;
	POSIX::dup2(fileno($listener), 3) if fileno($listener) != 3;
	if (fileno($listener) == 3) { require Fcntl; fcntl($listener, Fcntl::F_SETFD(), 0) }
	@ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
	exec $program, '--config', $conf;
	exit 127;
}
put("$work/activated.conf", slurp($daemon->{config}) =~ s/^listen.*$/listen = '127.0.0.1:1'/mr . "requests_per_address = 1000000\n");
mkdir "$work/out";
my $load = fork // die $!;
exec $^X, "$FindBin::RealBin/load", "$work/activated", "$work/out", 6, 'r', '--hits', 400 if !$load;
sub answers { return scalar(() = join('', map { slurp($_) } glob("$work/out/r.*")) =~ / 20\d$/mg) }
my $restarts = 0;
my $pid = activated("$work/activated.conf");
for my $i (1 .. 8)
{
	my $from = answers();
	wait_for(60, sub { answers() >= $from + 60 || kill(0, $load) == 0 });
	if ($i % 2)
	{
		put("$work/activated.conf", slurp("$work/activated.conf") =~ s/^batch_max.*\n//mr . "batch_max = $i\n");
		kill 'HUP', $pid;
	}
	else
	{
		kill 'TERM', $pid;
		waitpid $pid, 0;
		is($?, 0, 'it stops with status 0 under load');
		$pid = activated("$work/activated.conf");
	}
}
waitpid $load, 0;
is($?, 0, 'no client had to give up');
my @answers = map { split /\n/, slurp($_) } glob("$work/out/r.*");
is(scalar(@answers), 2400, 'each hit has an answer or a connection that was closed');
is(scalar(grep { !/ (?:200|204|000)$/ } @answers), 0, 'and none was refused by a reload or a restart');
my %rows = map { $_ => 1 } split /\n/, sql(q{SELECT split_part(url, '/', 4) FROM pk_tracking.action WHERE url LIKE 'http://a.example/%' GROUP BY 1 HAVING count(*) = 1});
is(scalar(grep { / 20\d$/ && !$rows{ (split ' ')[0] } } @answers), 0, 'each answered hit is recorded once');
is(scalar(grep { / 000$/ } @answers) <= 24 ? 'few' : 'many', 'few', 'closed connections are those that a restart met while they were idle');
kill 'TERM', $pid;
waitpid $pid, 0;

## nginx and Caddy
if (has('nginx'))
{
	my ($front, $back) = (free_port(), free_port());
	$daemon = start_daemon(direct => 'off', port => $back);
	my $example = slurp("$top/edge/examples/nginx.conf");
	$example =~ s/listen 443 ssl;/listen 127.0.0.1:$front;/ or die;
	$example =~ s/^\s*ssl_certificate.*\n//mg;
	$example =~ s/127\.0\.0\.1:8080/127.0.0.1:$back/ or die;
	put("$work/nginx.conf", "pid $work/nginx.pid;\nerror_log $work/nginx.log;\ndaemon off;\nuser postgres;\nevents {}\nhttp {\n"
		  . join('', map { "${_}_temp_path $work/nginx_$_;\n" } qw(client_body proxy fastcgi uwsgi scgi)) . "$example}\n");
	is((output("nginx -t -q -p $work -c $work/nginx.conf"))[1], '', 'nginx takes the example');
	my $nginx = fork // die $!;
	exec 'nginx', '-p', $work, '-c', "$work/nginx.conf" if !$nginx;
	my $proxied = { port => $front };
	ok(wait_for(20, sub { request($proxied, '/healthz')->{status} == 200 }), 'and passes requests on');
	my $answer = request($proxied, '/matomo.php?idsite=1&rec=1&url=http%3A%2F%2Fa.example%2Fnginx&_id=00000000000000aa', '-H', 'X-Forwarded-For: 203.0.113.50');
	is($answer->{status}, 200, 'a hit by nginx is answered');
	is(sql("SELECT location_ip FROM pk_tracking.visit WHERE idvisitor = '00000000000000aa'"), '127.0.0.0', 'with the address of the connection, not what the browser claims');
	is(request($proxied, '/metrics')->{status}, 404, 'and /metrics is not for all');
	my $script = request($proxied, '/pk.js', '-H', 'Accept-Encoding: gzip');
	like($script->{headers}, qr/^Content-Encoding: gzip/mi, 'nginx packs the script');
	my ($etag) = $script->{headers} =~ /^ETag: (.*?)\r?$/mi;
	is(request($proxied, '/pk.js', '-H', 'Accept-Encoding: gzip', '-H', "If-None-Match: $etag")->{status}, 304, 'and asks whether it is new');
	kill 'QUIT', $nginx;
	waitpid $nginx, 0;
	Edge::stop_daemon($daemon);
}
if (has('caddy'))
{
	local $ENV{HOME} = $work;
	is((output("caddy validate --adapter caddyfile --config $top/edge/examples/Caddyfile"))[0], 0, 'Caddy takes the example');
}

## nothing of a visitor in the log
my $logs = join '', map { slurp($_) } glob("$work/*.log");
ok(length $logs > 1000, 'there are logs');
is(join(' ', $logs =~ /(203\.0\.113\S*|198\.51\.100\S*|secretpage|0123456789abcdef|feedface|idsite=)/g), '', 'and nothing of a visitor is in them');
done();
