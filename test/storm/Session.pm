# A session of psql that is driven through pipes, and knows three ends of a
# statement: done, refused with a SQLSTATE, or lost with its connection, when
# nobody knows.
package Session;
use strict;
use warnings;
use IO::Handle;
use IPC::Open3;
use Time::HiRes qw(sleep);

# new(name, directory, deadline): not connected yet
sub new
{
	my ($class, $name, $dir, $deadline) = @_;
	return bless { name => $name, log => "$dir/$name.err", deadline => $deadline }, $class;
}

# connect until the server is there
sub connect
{
	my ($self) = @_;
	while (1)
	{
		die "$self->{name}: no connection before the time was over\n" if time > $self->{deadline};
		open my $err, '>>', $self->{log} or die "$self->{log}: $!";
		local $ENV{PGAPPNAME} = $self->{name} =~ /^client/ ? 'storm' : 'director';
		local $ENV{PGOPTIONS} = '-c client_min_messages=error -c deadlock_timeout=50ms';
		$self->{pid} = open3(my $in, my $out, '>&' . fileno($err), 'psql', '-XAtq', '-d', 'storm');
		@$self{qw(in out)} = ($in, $out);
		close $err;
		$in->autoflush(1);
		# pgcrypto's and pk_tracking's types
		return if ($self->_send('SELECT 1'))[0] eq 'done';
		sleep 0.02;
	}
}

sub disconnect
{
	my ($self) = @_;
	return if !$self->{pid};
	close $self->{in};
	close $self->{out};
	waitpid $self->{pid}, 0;
	delete @$self{qw(pid in out)};
	return;
}

# send(sql): ('done', rows…), ('refused', SQLSTATE) or ('lost'); connects if need be.
# Statements joined by \; are one message, and one transaction unless they begin
# another.  After a refusal no transaction is open.
sub send
{
	my ($self, $sql) = @_;
	$self->connect if !$self->{pid};
	return $self->_send($sql);
}

sub _send
{
	my ($self, $sql) = @_;
	my (@rows, $end);
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{in} } "$sql;\n\\echo @@ :ERROR :SQLSTATE\n";
	while (defined(my $line = readline $self->{out}))
	{
		chomp $line;
		if ($line =~ /^@@ (\S+) (\S+)/) { $end = [ $1, $2 ]; last; }
		push @rows, $line;
	}
	if (!$end)
	{
		$self->disconnect;
		return 'lost';
	}
	return ('done', @rows) if $end->[0] eq 'false';
	# psql without a SQLSTATE of the server's has lost the connection, and has not yet ended
	if ($end->[1] !~ /^[0-9A-Z]{5}$/ || $end->[1] =~ /^(57P0|08)/)
	{
		$self->disconnect;
		return 'lost';
	}
	print { $self->{in} } "ROLLBACK;\n";
	return ('refused', $end->[1]);
}

1;
