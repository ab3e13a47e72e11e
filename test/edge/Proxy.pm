# A proxy in front of PostgreSQL that loses connections in chosen moments.
package Proxy;
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

# start(DIRECTORY): listens on DIRECTORY/.s.PGSQL.5432.  What it does with a hit that
# a client sends is the word in DIRECTORY/mode, which it sets to "pass" then:
#   pass     hands everything on
#   cut      hands the hit on, waits for the server's answer, and loses both connections
#   drop     loses both connections before the hit is handed on
#   late     loses the client's connection, and hands the hit on when DIRECTORY/go is there
sub start
{
	my ($class, $dir) = @_;
	my $self = bless { dir => $dir }, $class;

	mkdir $dir;
	chmod 0777, $dir;
	$self->mode('pass');
	my $listener = IO::Socket::UNIX->new(Local => "$dir/.s.PGSQL.5432", Listen => 20) or die "proxy: $!";
	chmod 0777, "$dir/.s.PGSQL.5432";
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		$self->loop($listener);
		exit 0;
	}
	close $listener;
	return $self;
}

sub mode
{
	my ($self, $mode) = @_;

	open my $f, '>', "$self->{dir}/mode.new" or die $!;
	print $f $mode;
	close $f;
	rename "$self->{dir}/mode.new", "$self->{dir}/mode";
}

sub stop
{
	my $self = shift;

	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = 0;
}

# a test that dies must not leave it behind, with the output of the stage
sub DESTROY
{
	my $self = shift;
	local $?;

	$self->stop if $self->{pid};
}

sub read_mode
{
	my $self = shift;
	open my $f, '<', "$self->{dir}/mode" or return 'pass';
	return <$f> // 'pass';
}

sub loop
{
	my ($self, $listener) = @_;
	my $select = IO::Select->new($listener);
	my %other;
	my %client;
	my @late;

	for (;;)
	{
		for my $socket ($select->can_read(0.05))
		{
			if ($socket == $listener)
			{
				my $client = $listener->accept or next;
				my $server = IO::Socket::UNIX->new(Peer => "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}");
				if (!$server) { close $client; next; }
				$other{$client} = $server;
				$other{$server} = $client;
				$client{$client} = 1;
				$select->add($client, $server);
				next;
			}
			next unless exists $other{$socket};
			my $to = $other{$socket};
			my $data;
			my $mode = 'pass';
			my $n = sysread $socket, $data, 65536;
			# "hit" is the name of the prepared statement
			$mode = $self->read_mode if $n && $client{$socket} && $data =~ /\0hit\0/;
			$self->mode('pass') if $mode ne 'pass';
			if ($mode eq 'late')
			{
				push @late, [ $to, $data ];
				$select->remove($socket, $to);
				delete @other{ $socket, $to };
				close $socket;
				next;
			}
			syswrite $to, $data if $n && $mode ne 'drop';
			if ($mode eq 'cut')
			{
				# ready for query, idle: the transaction is over
				my $answer = '';
				while (sysread $to, my $more, 65536)
				{
					$answer .= $more;
					last if $answer =~ /Z\0\0\0\x05I$/;
				}
			}
			if (!$n || $mode eq 'cut' || $mode eq 'drop')
			{
				$select->remove($socket, $to);
				delete @other{ $socket, $to };
				close $socket;
				close $to;
			}
		}
		if (@late && -e "$self->{dir}/go")
		{
			for (@late)
			{
				my ($server, $data) = @$_;
				syswrite $server, $data;
				my $answer = '';
				while (sysread $server, my $more, 65536)
				{
					$answer .= $more;
					last if $answer =~ /Z\0\0\0\x05I$/;
				}
				open my $f, '>', "$self->{dir}/late";
				print $f $answer;
				close $f;
				close $server;
			}
			@late = ();
		}
	}
}

1;
