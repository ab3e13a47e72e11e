#!/usr/bin/perl
# The SQL of a document, and what stands under it.
#
#   blocks.pl --sql FILE             the document's SQL as one psql script
#   blocks.pl --check FILE OUTPUT    compares what psql printed with what the document shows
#   blocks.pl --fill FILE OUTPUT     puts what psql printed into the document
#
# A block that begins with ```sql is run, unless the line before it is
# <!-- not run -->.  A comment that begins with <!-- run is SQL that the reader
# need not see.  A ```text block that follows a ```sql block at once shows the
# output of that block.
use strict;
use warnings;

my ($mode, $file, $output) = @ARGV;
die "usage: blocks.pl --sql FILE | --check FILE OUTPUT | --fill FILE OUTPUT\n"
  unless defined $file && ($mode eq '--sql' || defined $output);

open(my $in, '<', $file) or die "$file: $!\n";
my @lines = <$in>;
close $in;

# [ kind, first line, last line ]: the lines between the fences
my @blocks;
for (my $i = 0; $i < @lines; $i++)
{
	my ($kind, $end);
	if ($lines[$i] =~ /^<!-- run$/) { ($kind, $end) = ('hidden', qr/^-->$/); }
	elsif ($lines[$i] =~ /^```(\w*)$/)
	{
		$kind = $1;
		$kind = 'skipped' if $kind eq 'sql' && $i > 0 && $lines[ $i - 1 ] =~ /^<!-- not run -->$/;
		$end = qr/^```$/;
	}
	else { next; }
	my $from = $i;
	do { $i++; } until $i >= @lines || $lines[$i] =~ $end;
	die "$file:" . ($from + 1) . ": block does not end\n" if $i >= @lines;
	push @blocks, [ $kind, $from + 1, $i - 1 ];
}

if ($mode eq '--sql')
{
	for my $n (0 .. $#blocks)
	{
		my ($kind, $from, $to) = @{ $blocks[$n] };
		next unless $kind eq 'sql' || $kind eq 'hidden';
		print "\\echo \@\@ $n\n", @lines[ $from .. $to ];
	}
	exit 0;
}

my (%printed, $now);
open(my $out, '<', $output) or die "$output: $!\n";
while (<$out>)
{
	if (/^\@\@ (\d+)$/) { $now = $1; $printed{$now} = ''; next; }
	next unless defined $now;
	s/\s+$//;
	$printed{$now} .= "$_\n";
}
close $out;

my $wrong = 0;
for my $n (reverse 1 .. $#blocks)
{
	my ($kind, $from, $to) = @{ $blocks[$n] };
	my ($before, undef, $last) = @{ $blocks[ $n - 1 ] };
	next unless $kind eq 'text' && $before eq 'sql' && $last + 3 == $from;
	(my $got = $printed{ $n - 1 } // '') =~ s/\n+\z/\n/;
	my $shown = join '', @lines[ $from .. $to ];
	if ($mode eq '--fill') { splice @lines, $from, $to - $from + 1, $got; }
	elsif ($got ne $shown)
	{
		print "$file:$from shows\n${shown}psql printed\n$got";
		$wrong++;
	}
}
if ($mode eq '--fill')
{
	open(my $to, '>', $file) or die "$file: $!\n";
	print $to @lines;
	close $to;
}
exit($wrong > 0);
