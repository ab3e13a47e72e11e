#!/usr/bin/perl
# Hits with ids of their own, over HTTP, by several clients that do not give up.
#
#   load.pl SOCKET DIR CLIENTS PREFIX [--hits N] [--address A]
#
# Each client sends one hit after the other over a kept connection to the Unix
# socket, and comes back when it is cut.  It writes "ID STATUS" to DIR/PREFIX.CLIENT
# as soon as it has read a whole answer, STATUS being 000 if there was none.  All
# end when DIR/stop is there, or after N hits each.  A hit's URL ends in its ID; of
# every five hits one is of a visitor that all clients share.
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes 'sleep';

my ($path, $dir, $clients, $prefix, %option) = @ARGV;
my $hits = $option{'--hits'} // 1e9;
my $address = $option{'--address'} // '198.51.100.77';

sub connection
{
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path);
	$socket->autoflush(1) if $socket;
	return $socket;
}

# the status of an answer that came whole; undef: it did not
sub answer
{
	my $socket = shift;
	my ($head, $length) = ('', 0);

	while (defined(my $line = <$socket>))
	{
		$head .= $line;
		$length = $1 if $line =~ /^Content-Length: *(\d+)/i;
		next if $line ne "\r\n";
		my $body = '';
		while (length $body < $length)
		{
			read($socket, $body, $length - length $body, length $body) or return undef;
		}
		return $head =~ m{^HTTP/1\.1 (\d+)} ? $1 : undef;
	}
	return undef;
}

sub client
{
	my $number = shift;
	my $socket;

	open my $out, '>>', "$dir/$prefix.$number" or die $!;
	$out->autoflush(1);
	local $SIG{PIPE} = 'IGNORE';
	# a daemon that hangs is a failure, which the ids of its hits show
	local $SIG{ALRM} = sub { print $out "$prefix-$number-hung 999\n"; exit 1 };
	for my $n (1 .. $hits)
	{
		last if -e "$dir/stop";
		until ($socket ||= connection())
		{
			exit 0 if -e "$dir/stop";
			sleep 0.01;
		}
		alarm 120;
		my $id = "$prefix-$number-$n";
		my $visitor = $n % 5 ? sprintf('%08x%08x', $number + 1, $n) : '00000000feedface';
		my $image = $n % 2;
		print $socket "GET /matomo.php?idsite=1&rec=1&send_image=$image&_id=$visitor"
		  . "&url=http%3A%2F%2Fa.example%2F$id HTTP/1.1\r\nHost: localhost\r\n"
		  . "X-Forwarded-For: $address\r\nUser-Agent: load/1.0\r\n\r\n";
		my $status = answer($socket);
		undef $socket if !defined $status || $status >= 500;
		print $out $id, ' ', $status // '000', "\n";
		alarm 0;
	}
}

my @pids;
for my $number (1 .. $clients)
{
	my $pid = fork // die $!;
	if (!$pid) { client($number); exit 0 }
	push @pids, $pid;
}
my $failed = 0;
for (@pids) { waitpid $_, 0; $failed++ if $? }
exit($failed ? 1 : 0);
