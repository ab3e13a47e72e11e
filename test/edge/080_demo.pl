# What script/demo leaves to visit: server, daemon and shop of its own run on, are
# found again and started again, and go without a trace.
use strict;
use warnings;
use Edge;
use FindBin;

my $script = "$FindBin::RealBin/../../script/demo";
my $dir = work_dir() . '/demo';
$ENV{PKT_DEMO} = $dir;
delete $ENV{PGHOST};

# what it prints; reading ends when nobody holds its output: children must not
sub demo { return scalar `timeout 100 $script @_ 2>&1`; }

sub curl
{
	my ($url, @args) = @_;
	open my $out, '-|', 'curl', '-s', '-m', '20', '-w', "\n%{http_code}", @args, $url or die $!;
	local $/;
	my ($body, $status) = <$out> =~ /^(.*)\n(\d+)\z/s;
	return ($status, $body);
}

# processes that have to do with the directory
sub processes
{
	return grep { slurp("/proc/$_/cmdline") =~ /\Q$dir\E/ || (readlink "/proc/$_/cwd" // '') =~ /^\Q$dir\E/ }
	  map { m{(\d+)} } grep { $_ ne "/proc/$$" } glob '/proc/[0-9]*';
}

sub hits
{
	my ($bin) = split /\n/, slurp("$dir/where");
	return `$bin/psql -X -A -t -h $dir -p 5432 -U postgres -d demo -c "$_[0]"` =~ s/\n\z//r;
}

my $said = demo('--shop');
my ($url) = $said =~ m{(http://127\.0\.0\.1:\d+/)\n};
ok(defined $url, 'it prints one URL', $said) or do { demo('--stop'); done() };
like($said, qr{script/demo --stop}, 'and how to stop it');
my ($pages, $password) = $said =~ m{Statistics: +(http://127\.0\.0\.1:\d+/)\S*\n +user reader, password (\S+)};
ok(defined $pages, 'it prints the URL of the statistics', $said);
is((curl($pages))[0], 200, 'whose pages are there');
is((curl("${pages}web/lib/chart.umd.min.js"))[0], 200, 'with their libraries');
is((curl("${pages}api/login", '-H', 'Content-Type: application/json', '--data-raw', qq({"user":"reader","password":"$password"})))[0], 200, 'and the user may log in');
is((curl("${pages}api/login", '-H', 'Content-Type: application/json', '--data-raw', '{"user":"reader","password":"wrong"}'))[0], 401, 'by that password alone');
for my $page ('', 'index.html', 'product.html?sku=MUG-1', 'search.html?q=tea', 'cart.html', 'order.html', 'shop.js', 'shop.css', 'icon.svg')
{
	is((curl("$url$page"))[0], 200, "/$page");
}

# a hit as a page sends it, to the address that the page has
my ($status, $config) = curl("${url}config.js");
my ($daemon, $idsite) = $config =~ m{src: '(http://[^/]+/)pk\.js\?idsite=(\d+)'};
ok(defined $idsite, 'config.js loads our script', $config);
my ($is_there, $client) = curl("${daemon}pk.js?idsite=$idsite");
is($is_there, 200, 'which the daemon has');
like($client, qr/ask_else_anonymous/, 'with the settings of the site');
my $tracker = "${daemon}matomo.php";
is((curl($tracker, '-H', "Origin: $url", '--data-raw', "idsite=$idsite&rec=1&send_image=0&consent=1&_id=0123456789abcdef&url=${url}index.html&action_name=Home"))[0], 204, 'a beacon is answered');
is(hits('SELECT idsite, visit_total_actions FROM pk_tracking.log_visit'), "$idsite|1", 'and is a visit');
is(hits('SELECT title FROM pk_tracking.action'), 'Home', 'with its page');
like(demo('--look'), qr/agreed|granted/, '--look shows it');

my $running = slurp("$dir/pids");
like(demo('--shop'), qr{\Q$url\E}, 'a second run finds it');
is(slurp("$dir/pids"), $running, 'and starts nothing');

my ($pid) = slurp("$dir/pids") =~ /^daemon (\d+)$/m;
kill 'KILL', $pid;
wait_for(5, sub { !-d "/proc/$pid" });
$said = demo('--shop');
ok($said =~ m{(http://127\.0\.0\.1:\d+/)\n} && (curl($1))[0] eq '200', 'what has died is started again', $said);
is(hits('SELECT count(*) FROM pk_tracking.log_visit'), 1, 'on the data that is there');

demo('--stop');
ok(!-e $dir, '--stop removes everything');
is(join(' ', processes()), '', 'and no process is left');
mkdir $dir;
open my $f, '>', "$dir/precious" or die $!;
like(demo('--shop'), qr/holds no demo/, 'a directory of somebody else is left alone');
ok(-e "$dir/precious", 'with what it holds');
demo('--stop');
ok(-e "$dir/precious", 'by --stop, too');
done();
