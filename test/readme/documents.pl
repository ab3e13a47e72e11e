#!/usr/bin/perl
# What documents promise to each other: links and references lead somewhere,
# nothing points outside the repository, lines and sizes stay readable, and
# every message of src/ is in doc/troubleshooting.md, every one of edge/ in doc/edge.md.
# Prints "ok" or "not ok" and a text for each check.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use File::Find;

chdir($ARGV[0] // '.') or die;

sub slurp
{
	my ($file) = @_;
	open(my $in, '<:encoding(UTF-8)', $file) or die "$file: $!\n";
	local $/ = undef;
	return scalar <$in>;
}

sub result
{
	my ($name, @wrong) = @_;
	print @wrong ? "not ok   $name\n" : "ok       $name\n";
	print "         $_\n" foreach @wrong;
	return;
}

my (@files, @docs);
find({ no_chdir => 1, wanted => sub {
	(my $f = $_) =~ s{^\./}{};
	if (-d) { $File::Find::prune = 1 if $f =~ m{^(\.git|results|tmp_check|output_iso|log|test/golden/data|web/node_modules|.*/corpus)$}; return; }
	push @files, $f if $f =~ m{(\.(c|h|sql|pl|pm|sh|md|spec|control|pgbench|typedefs)|/[a-z-]+|^Makefile)$} && $f !~ m{^pk_tracking--};
} }, '.');
@files = sort grep { -T $_ && $_ !~ m{^test/readme/documents\.pl$} } @files;
@docs = grep { /\.md$/ } @files;

# what a forge makes of a heading
sub slug
{
	my ($h) = @_;
	$h =~ s/[`*]//g;
	$h =~ s/\[([^]]*)\]\([^)]*\)/$1/g;
	$h = lc $h;
	$h =~ s/[^\w\s-]//g;
	$h =~ s/\s/-/g;
	return $h;
}

my (%heading, %anchor, %text);
foreach my $f (@docs)
{
	$text{$f} = slurp($f);
	(my $plain = $text{$f}) =~ s/^```.*?^```$//gms;
	while ($plain =~ /^#+ +(.*?) *$/gm)
	{
		$heading{$f}{$1} = 1;
		$anchor{$f}{ slug($1) } = 1;
	}
}

my (@links, @long, @toc, @refs, @outside);
foreach my $f (@docs)
{
	(my $plain = $text{$f}) =~ s/^```.*?^```$//gms;
	while ($plain =~ /\]\(([^)\s]+)\)/g)
	{
		my $to = $1;
		next if $to =~ /^[a-z]+:/;
		my ($path, $at) = split /#/, $to, 2;
		my $target = $f;
		if ($path ne '')
		{
			($target = $f) =~ s{[^/]*$}{};
			$target .= $path;
			1 while $target =~ s{(^|/)(?!\.\./)[^/]+/\.\./}{$1};
		}
		if (!-e $target) { push @links, "$f: $to"; }
		elsif (defined $at && !$anchor{$target}{$at}) { push @links, "$f: $to: no such heading"; }
	}
	my $n = 0;
	foreach (split /\n/, $text{$f})
	{
		$n++;
		push @long, "$f:$n: " . length($_) if length($_) > 500;
	}
	push @toc, $f if $f =~ m{^doc/} && -s $f > 10_000 && $plain !~ /^- .*\[[^]]+\]\(#/m;
}
foreach my $f (@files)
{
	my $n = 0;
	my $t = $text{$f} // slurp($f);
	# a reference may go on in the next line of a comment
	(my $joined = $t) =~ s/\n\s*(\*|--|#|\/\/)\s+/ /g;
	while ($joined =~ /\b(doc\/[a-z-]+\.md|README\.md|CONTRIBUTING\.md), "([^"\n]+)"/g)
	{
		push @refs, "$f: $1, \"$2\"" unless $heading{$1}{$2};
	}
	foreach (split /\n/, $t)
	{
		$n++;
		push @outside, "$f:$n: $_" if m{\bdesign,? sections? [0-9]|\bspec (matomo )?[0-9]|\btest case [0-9]};
	}
}
result('links lead to files and headings', @links);
result('references to a heading of a document', @refs);
result('nothing points outside the repository', @outside);
result('no line of a document is longer than 500 characters', @long);
result('documents of more than 10 kB have a table of contents', @toc);
my @profiles = grep { /^\| `/ } split /\n/, slurp('expected/profiles.out');
result('what README says of the profiles is what sql/profiles prints',
	@profiles == 4 ? grep { index($text{'README.md'}, "$_\n") < 0 } @profiles : 'not four rows');
my $size = -s 'README.md';
result('README has 12 to 15 kB', $size < 12_000 || $size > 15_360 ? "$size bytes" : ());

# dimensions of filters
my @dimensions = slurp('src/report/dimensions.c') =~ /^\t(?:VISIT|ACTION|CONVERSION|PRODUCT)\("(\w+)"/gm;
result('doc/reports.md explains each dimension of filters',
	@dimensions > 100 ? grep { index($text{'doc/reports.md'}, "`$_`") < 0 } @dimensions : 'they were not found');

# methods of Matomo that the stage reports compares
my @methods = slurp('test/reports/methods.sql') =~ /'\w+\.(get\w*)/g;
my ($beside) = $text{'doc/reports.md'} =~ /^## Beside Matomo's reports\n(.*?)^## /ms;
result('doc/reports.md has a row for each of Matomo\'s reports',
	@methods > 50 ? grep { $beside !~ /\b$_\b/ } @methods : 'they were not found');

# messages: literals, whose values and numbers are … in the document
my (%messages, @missing);
foreach my $f (grep { m{^src/.*\.(c|h|sql)$} } @files)
{
	my $t = slurp($f);
	$t =~ s{/\*.*?\*/}{}gs;
	if ($f =~ /\.sql$/)
	{
		while ($t =~ /\b(?:MESSAGE = |message => |RAISE (?:EXCEPTION|NOTICE|WARNING) )(?:format\()?'((?:[^']|'')*)'/g) { (my $m = $1) =~ s/''/'/g; $messages{$m} = $f; }
	}
	else
	{
		while ($t =~ /\b(?:errmsg|errmsg_plural|raise_mapping)\s*\(\s*((?:(?:"(?:[^"\\]|\\.)*"|[A-Z][A-Z0-9_a-z]*(?:\(\w+\))?)\s*)+)/g)
		{
			my $literal = $1;
			next unless $literal =~ /"/;
			my $m = '';
			while ($literal =~ /"((?:[^"\\]|\\.)*)"|([A-Z][A-Z0-9_a-z]*(?:\(\w+\))?)/g) { $m .= defined $1 ? $1 : '…'; }
			$m =~ s/\\"/"/g;
			$messages{$m} = $f;
		}
	}
}
sub normal
{
	my ($m) = @_;
	$m =~ s/%(\d+\$)?-?[0-9.*]*(l|ll|z)?[sdufgILx]/…/g;
	$m =~ s/[0-9]+/…/g;
	$m =~ s/…+/…/g;
	$m =~ s/\s+$//;
	return $m;
}
(my $doc = $text{'doc/troubleshooting.md'} // '') =~ s/[0-9]+/…/g;
foreach my $m (sort keys %messages)
{
	my $n = normal($m);
	push @missing, "$messages{$m}: $n" unless index($doc, "`$n`") >= 0 || index($doc, "`$n…`") >= 0;
}
result('every message of src/ is in doc/troubleshooting.md', @missing);

# the daemon's: what its functions that tell or keep a message are given
my (%edge_messages, @edge_missing);
foreach my $f (grep { m{^edge/\w+\.c$} } @files)
{
	my $t = slurp($f);
	$t =~ s{/\*.*?\*/}{}gs;
	while ($t =~ /\b(?:log_line\([^";]*?|fail\(|fault\([^";]*?|report\((?:spool,)?|snprintf\((?:error|message), [^";]*?)\s*((?:(?:"(?:[^"\\]|\\.)*"|PRI?[a-z]+\d*|PRI[du]64|PKT_VERSION)\s*)+)/g)
	{
		my $literal = $1;
		my $m = '';
		while ($literal =~ /"((?:[^"\\]|\\.)*)"|(PRI?\w+|PKT_VERSION)/g) { $m .= defined $1 ? $1 : $2 eq 'PKT_VERSION' ? '…' : 'd'; }
		$m =~ s/\\"/"/g;
		$edge_messages{$m} = $f if $m =~ /[a-z]{2}.* / && $m !~ /^(?:[A-Z]+=|usage:)/;
	}
}
(my $edge_doc = $text{'doc/edge.md'} // '') =~ s/[0-9]+/…/g;
foreach my $m (sort keys %edge_messages)
{
	my $n = normal($m);
	$n =~ s/^…:…: //;
	push @edge_missing, "$edge_messages{$m}: $n" unless index($edge_doc, "`$n`") >= 0 || index($edge_doc, "`$n…`") >= 0 ||
	  ($n =~ /^(.*?), from …/ && index($edge_doc, "`$1`") >= 0);
}
result('there are messages of edge/', keys %edge_messages > 60 ? () : scalar keys %edge_messages);
result('every message of edge/ is in doc/edge.md', @edge_missing);
