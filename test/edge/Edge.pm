# What the tests of the HTTP daemon share: a database, daemons, requests, checks.
#
# They run on the server that PGHOST names; a test makes its own database.
package Edge;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(ok is like database sql start_daemon request free_port wait_for work_dir memory_dir done slurp);

my ($passed, $failed) = (0, 0);
my $database;
my @daemons;
my $dir;

# The daemon is another user's than root, and must reach its files.
sub work_dir
{
	return $dir if defined $dir;
	$dir = File::Temp::tempdir('/tmp/pk_edge.XXXXXX', CLEANUP => !$ENV{KEEP});
	chmod 0777, $dir;
	return $dir;
}

sub ok
{
	my ($good, $what, @said) = @_;

	$good ? $passed++ : $failed++;
	printf "%s - %s\n", $good ? 'ok' : 'not ok', $what;
	print map { "    $_\n" } map { split /\n/ } @said if !$good;
	return $good;
}

sub is
{
	my ($got, $wanted, $what) = @_;

	$got = 'undef' unless defined $got;
	return ok($got eq $wanted, $what, "got:    $got", "wanted: $wanted");
}

sub like
{
	my ($got, $wanted, $what) = @_;

	return ok(scalar($got =~ $wanted), $what, "got:    $got", "wanted: $wanted");
}

sub slurp
{
	my $file = shift;
	open my $f, '<', $file or return '';
	local $/;
	return scalar(<$f>) // '';
}

sub psql
{
	my ($db, $query) = @_;

	open my $out, '-|', 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', $query
	  or die "psql: $!";
	local $/;
	my $answer = <$out> // '';
	close $out or die "psql failed: $query\n";
	$answer =~ s{\n\z}{};
	return $answer;
}

# database(NAME): an empty log with site 1, and the role edge_tracker
sub database
{
	$database = shift;
	$ENV{PGOPTIONS} = '-c client_min_messages=warning';
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	psql('postgres', "CREATE DATABASE $database");
	psql('postgres', "DO \$\$ BEGIN IF to_regrole('edge_tracker') IS NULL THEN CREATE ROLE edge_tracker LOGIN; END IF; END \$\$");
	sql('CREATE EXTENSION pgcrypto');
	sql('CREATE EXTENSION pk_tracking');
	sql('SELECT pk_tracking.create_log()');
	sql(q{SELECT pk_tracking.add_site('Shop', ARRAY['https://shop.example.org'])});
	sql(q{SELECT pk_tracking.grant_tracker('edge_tracker', edge => true)});
}

sub sql { return psql($database, shift); }

sub free_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no port: $!";
	return $socket->sockport;
}

# a directory in memory, for keys of spools
my $memory;
sub memory_dir
{
	$memory //= File::Temp::tempdir("/dev/shm/pk_edge.XXXXXX", CLEANUP => !$ENV{KEEP});
	chmod 0777, $memory;
	return $memory;
}

# wait_for(SECONDS, CODE): until it returns something true, which is returned
sub wait_for
{
	my ($seconds, $code) = @_;
	my $end = time + $seconds;

	for (;;)
	{
		my $answer = $code->();
		return $answer if $answer;
		return undef if time > $end;
		sleep 0.02;
	}
}

my $count = 0;

# start_daemon(OPTION => VALUE …): one that listens on a socket of its own, and on
# the port that "port" names; returns a hash with pid, socket, log, config
sub start_daemon
{
	my %options = @_;
	my $work = work_dir();
	my $n = ++$count;
	my %daemon = (
		socket => "$work/$n.sock", log => "$work/$n.log", config => "$work/$n.conf",
		port => delete $options{port});
	my $ready = delete $options{wait} // 1;
	$daemon{nofile} = delete $options{nofile};
	my $program = $ENV{PK_TRACKING_HTTPD} // do { my $b = `"$ENV{PG_CONFIG}" --bindir`; chomp $b; "$b/pk_tracking_httpd" };

	$options{listen} //= join ', ', $daemon{socket}, $daemon{port} ? "127.0.0.1:$daemon{port}" : ();
	$options{database} //= "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=$database user=edge_tracker";
	$options{direct} //= 'on';
	$options{user} //= 'postgres';
	open my $f, '>', $daemon{config} or die $!;
	printf $f "%s = '%s'\n", $_, $options{$_} =~ s/'/''/gr for sort keys %options;
	close $f;
	$daemon{program} = $program;
	launch(\%daemon, $ready);
	push @daemons, \%daemon;
	return \%daemon;
}

# launch(DAEMON, SECONDS): starts it, or starts it again
sub launch
{
	my ($daemon, $ready) = @_;

	$daemon->{pid} = fork // die "fork: $!";
	if ($daemon->{pid} == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $daemon->{log};
		open STDERR, '>>', $daemon->{log};
		exec 'sh', '-c', "ulimit -n $daemon->{nofile} && exec $daemon->{program} --config $daemon->{config}" if $daemon->{nofile};
		exec $daemon->{program}, '--config', $daemon->{config};
		exit 127;
	}
	return unless $ready;
	# it is ready when it answers, and connected when the settings are read
	wait_for(20, sub { -S $daemon->{socket} && request($daemon, '/healthz')->{status} == 200 })
	  or die 'the daemon does not start: ' . slurp($daemon->{log});
}

# stop_daemon(DAEMON, SIGNAL): its exit status
sub stop_daemon
{
	my ($daemon, $signal) = @_;

	return undef unless $daemon->{pid};
	kill $signal // 'TERM', $daemon->{pid};
	waitpid $daemon->{pid}, 0;
	$daemon->{pid} = 0;
	return $?;
}

# request(DAEMON, PATH, CURL'S ARGUMENTS…): a hash with status, headers (lines), body
sub request
{
	my ($daemon, $path, @args) = @_;
	my @to = $daemon->{port} ? () : ('--unix-socket', $daemon->{socket});
	my $host = $daemon->{port} ? "127.0.0.1:$daemon->{port}" : 'edge.example.org';

	open my $out, '-|', 'curl', '-s', '-i', '-m', '40', '-H', 'Expect:', '-A', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', @to, @args, "http://$host$path" or die "curl: $!";
	binmode $out;
	local $/;
	my $answer = <$out> // '';
	close $out;
	my ($head, $body) = split /\r\n\r\n/, $answer, 2;
	my ($line, @headers) = split /\r\n/, $head // '';
	my ($status) = ($line // '') =~ m{^HTTP/1\.[01] (\d+)};
	return { status => $status // 0, headers => join("\n", @headers), body => $body // '' };
}

# The last line of a test.
sub done
{
	stop_daemon($_, 'TERM') for @daemons;
	psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)") if defined $database;
	print "$passed passed, $failed failed\n";
	exit($failed ? 1 : 0);
}

END
{
	local $?;
	for my $daemon (@daemons)
	{
		kill 'KILL', $daemon->{pid} if $daemon->{pid};
	}
}

1;
