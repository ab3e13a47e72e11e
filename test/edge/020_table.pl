# Every clause of the HTTP interface by a request: the table requests.txt.
use strict;
use warnings;
use Edge;

database('pk_edge_table');
my $scripts = work_dir() . '/scripts';
mkdir $scripts;
open my $f, '>', "$scripts/matomo.js" or die $!;
print $f "/* the operator's own */\n";
close $f;
sql(q{SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')});
sql(q{SELECT pk_tracking.add_goal(1, 'by hand', 'manually')});
my $proxy = start_daemon(scripts => $scripts);
my $off = start_daemon(tracking => 'off');
my $plain = start_daemon(trusted_proxies => '192.0.2.1', port => free_port());
my %daemons = (proxy => $proxy, off => $off, plain => $plain);
my $gif = pack 'H*', '47494638396101000100800000000000000000' . '21f90401000000002c00000000010001000002024401003b';
my %seen;

# {name, to, request, args, wanted: [[kind, text]…], line}
my (@table, $entry);
my $file = $0 =~ s{[^/]+$}{requests.txt}r;
open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
while (<$in>)
{
	chomp;
	next if /^#/ || /^\s*$/;
	if (/^== (.*)/) { push @table, $entry = { name => $1, to => 'proxy', args => [], wanted => [] }; }
	elsif (/^(\w+): ([A-Z]+) (.*)/) { @$entry{ 'to', 'method', 'path' } = ($1, $2, $3); }
	elsif (/^([A-Z]+) (.*)/) { @$entry{ 'method', 'path' } = ($1, $2); }
	elsif (/^(-\S+)(?: (.*))?$/) { push @{ $entry->{args} }, $1, defined $2 ? $2 : (); }
	elsif (/^([<!|?]|\?:) ?(.*)$/) { push @{ $entry->{wanted} }, [ $1, $2 ]; }
	elsif (/^setting (\S+) (.*)$/) { push @table, { setting => $1, value => $2 }; }
	else { die "$file:$.: $_\n"; }
}

for my $e (@table)
{
	if (defined $e->{setting})
	{
		sql($e->{value} eq 'default' ? "SELECT pk_tracking.reset_instance('$e->{setting}')" :
			"SELECT pk_tracking.set_instance('$e->{setting}', '$e->{value}')");
		next;
	}
	sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion');
	my @method = $e->{method} eq 'HEAD' ? ('-I') : ('-X', $e->{method});
	my $answer = request($daemons{ $e->{to} }, $e->{path}, @method, @{ $e->{args} });
	my @faults;
	for (@{ $e->{wanted} })
	{
		my ($kind, $text) = @$_;
		if ($kind eq '<' && $text =~ /^\d+$/) { push @faults, "status $answer->{status}, not $text" if $answer->{status} != $text; }
		elsif ($kind eq '<') { push @faults, "no header $text" unless $answer->{headers} =~ /^$text$/mi; }
		elsif ($kind eq '!') { push @faults, "header $text" if $answer->{headers} =~ /^$text/mi; }
		elsif ($kind eq '|')
		{
			my $good = $text eq 'gif' ? $answer->{body} eq $gif : $text eq '' ? $answer->{body} eq '' : $answer->{body} =~ /$text/;
			push @faults, "body is not $text" unless $good;
		}
		elsif ($kind eq '?')
		{
			my ($query, $value) = $text =~ /^(.*?) => (.*)$/ or die "$e->{name}: $text";
			utf8::encode($query);
			my $got = sql($query);
			utf8::decode($got);
			push @faults, "$query: $got" if $got ne $value;
		}
	}
	ok(!@faults, $e->{name}, @faults, $answer->{headers}, substr($answer->{body}, 0, 300) =~ s/[^ -~\n]/./gr);
}
is(slurp($_->{log}) =~ s/^.*(ready|connected to PostgreSQL)$//mgr =~ s/\s+//gr =~ s/warning:headersofaproxy.*ignored//r, '', "no line of the log of a daemon") for $proxy, $off, $plain;
done();
