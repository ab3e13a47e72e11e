#!/usr/bin/perl
# What bench/run has measured, as JSON and as tables.
#
#   bench/report.pl --make SAMPLES FACTS     JSON of what was sampled
#   bench/report.pl --table FILE             that JSON as text
#   bench/report.pl --markdown FILE          the same in Markdown
#   bench/report.pl --readme FILE            the short form, with which doc/performance.md begins
#   bench/report.pl --get FILE KEY...        single figures or ratios
#   bench/report.pl --fill FILE TEXT...      puts figures into texts, between
#                                            <!--bench KEY--> and <!--/bench-->;
#                                            "readme" and "all" are tables
#
# A figure is the median of its rounds; a ratio that of the ratios of the rounds,
# since the contestants of a round ran one after the other.
use strict;
use warnings;
use utf8;

use JSON::PP;

binmode(STDOUT, ':encoding(UTF-8)');
my $mode = shift // '';
my (%figure, %ratio, $bench);

if ($mode eq '--make' && @ARGV == 2) { make(@ARGV); }
elsif ($mode eq '--table' && @ARGV == 1) { load($ARGV[0]); tables(0); }
elsif ($mode eq '--markdown' && @ARGV == 1) { load($ARGV[0]); tables(1); }
elsif ($mode eq '--readme' && @ARGV == 1) { load($ARGV[0]); readme(); }
elsif ($mode eq '--fill' && @ARGV >= 2) { load(shift); fill($_) foreach (@ARGV); }
elsif ($mode eq '--get' && @ARGV >= 2)
{
	load(shift);
	print join("\t", $_, value($_) // ''), "\n" foreach (@ARGV);
}
else { die "usage: report.pl --make SAMPLES FACTS | --table FILE | --markdown FILE | --readme FILE | --get FILE KEY... | --fill FILE TEXT...\n"; }
exit 0;

sub load
{
	my ($file) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!\n";
	local $/ = undef;
	$bench = JSON::PP->new->utf8->decode(<$in>);
	%figure = %{ $bench->{figures} };
	%ratio = %{ $bench->{ratios} };
	return;
}

sub median
{
	my @v = sort { $a <=> $b } @_;
	return @v % 2 ? $v[ $#v / 2 ] : ($v[ @v / 2 - 1 ] + $v[ @v / 2 ]) / 2;
}

# a ratio, or the median of a figure; undef if it was not measured
sub value
{
	my ($key) = @_;
	return $ratio{$key} // (exists $figure{$key} ? $figure{$key}{median} : undef);
}

# a number, in at most so many digits
sub digits
{
	my ($v, $n) = @_;
	return 0 + sprintf("%.${n}g", $v);
}

# --------------------------------------------------------------------- making

sub make
{
	my ($samples, $facts) = @_;
	my (%rounds, %group);
	open(my $in, '<', $samples) or die "$samples: $!\n";
	while (<$in>)
	{
		chomp;
		my ($key, $round, $value) = split(/\t/);
		$rounds{$key}{$round} = $value if (defined($value) && $value ne '');
	}
	close($in);
	open($in, '<:encoding(UTF-8)', $facts) or die "$facts: $!\n";
	while (<$in>)
	{
		chomp;
		my ($g, $key, $value) = split(/\t/, $_, 3);
		$value = 0 + $value if ($value =~ /^-?\d+(\.\d+)?$/ && $key ne 'postgresql' && $key ne 'commit');
		$group{$g}{$key} = $value;
	}
	close($in);

	foreach my $key (keys %rounds)
	{
		next if ($key =~ /\.unused$|^live\.new_check/);
		my @v = values %{ $rounds{$key} };
		my @sorted = sort { $a <=> $b } @v;
		$figure{$key} = { median => digits(median(@v), 6), min => digits($sorted[0], 6), max => digits($sorted[-1], 6), runs => scalar @v };
	}

	# live: to the hand-written function
	foreach my $key (keys %rounds)
	{
		next if ($key !~ /^(live\.\w+\.(?:on|off)\.c\d+)\.(\w+)\.(hits_per_s|cpu_us)$/ || $2 eq 'hand');
		ratio(\%rounds, "$1.$2." . ($3 eq 'cpu_us' ? 'cpu' : 'hits') . '_to_hand', $key, "$1.hand.$3");
	}
	# bulk: to the COPY alone, to window functions
	foreach my $kind (qw(query columns))
	{
		ratio(\%rounds, "bulk.$kind.rows_to_copy", "bulk.tracked_$kind.hits_per_s", "bulk.plain_$kind.hits_per_s");
		ratio(\%rounds, "bulk.$kind.cpu_to_copy", "bulk.plain_$kind.cpu_us", "bulk.tracked_$kind.cpu_us");
		ratio(\%rounds, "bulk.$kind.rows_to_window", "bulk.tracked_$kind.hits_per_s", 'bulk.window.hits_per_s');
		ratio(\%rounds, "bulk.$kind.cpu_to_window", 'bulk.window.cpu_us', "bulk.tracked_$kind.cpu_us");
		my ($rate, $copy, $window) = map { value("bulk.$_.hits_per_s") } ("tracked_$kind", 'plain_columns', 'window');
		$ratio{"bulk.$kind.rows_to_copy_and_window"} = digits($rate * (1 / $copy + 1 / $window), 4) if ($rate && $copy && $window);
		# one by one: less what fetching the hit from its table costs
		my $fetch = (value('bulk.fetch.cpu_us') // 0) - (value('bulk.nothing.cpu_us') // 0);
		foreach my $commit (qw(off on))
		{
			my $live = value("bulk.live.$commit.c1.hits_per_s");
			next unless ($rate && $live);
			$ratio{"bulk.$kind.rows_to_live_$commit"} = digits($rate * (1 / $live - ($fetch > 0 ? $fetch : 0) / 1e6), 4);
		}
	}
	ratio(\%rounds, "bulk.index.$_.cpu_to_as_is", "bulk.index.$_.cpu_us", 'bulk.index.as_is.cpu_us') foreach (qw(actions_btree visits_btree no_brin));
	# look-up: to the smallest log
	my @visits = sort { $a <=> $b } map { /^lookup\.v(\d+)\.hit\.cpu_us$/ ? $1 : () } keys %rounds;
	foreach my $v (@visits)
	{
		foreach my $what (qw(hit hit_newest match))
		{
			ratio(\%rounds, "lookup.v$v.$what.cpu_to_smallest", "lookup.v$v.$what.cpu_us", "lookup.v$visits[0].$what.cpu_us");
			ratio(\%rounds, "lookup.v$v.$what.hits_to_smallest", "lookup.v$v.$what.hits_per_s", "lookup.v$visits[0].$what.hits_per_s");
		}
	}
	ratio(\%rounds, "retention.$_.p99_to_nothing", "retention.$_.p99_ms", 'retention.nothing.p99_ms') foreach (qw(burner purge));
	ratio(\%rounds, "rollups.$_.p99_to_nothing", "rollups.$_.p99_ms", 'rollups.nothing.p99_ms') foreach (qw(burner maintain maintain_again));
	# reports: to SQL on the views; the worst of them
	foreach my $key (keys %rounds)
	{
		next if ($key !~ /^reports\.(day|month)\.(\w+)\.report_ms$/);
		ratio(\%rounds, "reports.$1.$2.to_hand", $key, "reports.$1.$2.hand_ms");
		my $r = $ratio{"reports.$1.$2.to_hand"};
		$ratio{"reports.$1.most_to_hand"} = $r if (defined($r) && $r > ($ratio{"reports.$1.most_to_hand"} // 0));
	}
	ratio(\%rounds, "lookup.one_id.$_.cpu_many_to_few", "lookup.one_id.many_$_.cpu_us", "lookup.one_id.few_$_.cpu_us") foreach (qw(continue amid later));
	my @after = sort { $a <=> $b } map { /^memory\.h(\d+)\.contexts_mb$/ ? $1 : () } keys %rounds;
	if (@after >= 2)
	{
		ratio(\%rounds, "memory.$_.last_to_one_before", "memory.h$after[-1].$_", "memory.h$after[-2].$_") foreach (qw(contexts_mb private_mb));
	}

	# by HTTP: to one pgbench client, and to as many as there are connections
	foreach my $key (keys %rounds)
	{
		next if ($key !~ /^(edge\.(\w+))\.(c\d+\.(?:kept|close|pgbench))\.(hits_per_s|cpu_us|server_us)$/);
		my ($where, $who, $unit) = ($1, $3, $4);
		my $beside = $unit eq 'hits_per_s' ? 'hits_per_s' : 'cpu_us';
		my $name = { hits_per_s => 'hits', cpu_us => 'cpu', server_us => 'server_cpu' }->{$unit};
		ratio(\%rounds, "$where.$who.${name}_to_one_client", $key, "$where.c1.pgbench.$beside");
	}

	# was it quiet?
	my @why;
	my $quiet = $group{quiet} // {};
	push(@why, sprintf('%.0f %% of the processors were in use before', 100 * $quiet->{busy_before})) if (($quiet->{busy_before} // 0) > 0.05);
	push(@why, "load $quiet->{load_before} before") if (($quiet->{load_before} // 0) > 0.5 * ($group{machine}{cores} // 1));
	my @busy = values %{ $rounds{'quiet.busy_share'} // {} };
	my @work = sort { $a <=> $b } values %{ $rounds{'quiet.calibration_ms'} // {} };
	my $busy = grep { $_ > 0.1 } @busy;
	push(@why, sprintf('others used up to %.0f %% of the processors, at %d of %d looks while our server had nothing to do', 100 * (sort { $b <=> $a } @busy)[0], $busy, scalar @busy)) if ($busy);
	push(@why, sprintf('the same work took %.0f to %.0f ms', $work[0], $work[-1])) if (@work && $work[-1] > 1.15 * $work[0]);
	$quiet->{quiet} = @why ? JSON::PP::false : JSON::PP::true;
	$quiet->{why_not} = \@why;

	# what must be reached
	my @targets;
	my $target = sub {
		my ($key, $what, $sense, $bound) = @_;
		my $value = value($key);
		return unless (defined($value));
		my $reached = $sense eq '>=' ? $value >= $bound : $value <= $bound;
		push(@targets, { key => $key, what => $what, value => $value, sense => $sense, bound => $bound, reached => $reached ? JSON::PP::true : JSON::PP::false });
	};
	foreach my $commit (qw(off on))
	{
		foreach my $c (1, 4, 8)
		{
			foreach my $f (qw(request track))
			{
				my $name = $f eq 'track' ? 'track()' : 'track_request()';
				my $where = "$name, $c client" . ($c > 1 ? 's' : '') . ", synchronous_commit $commit";
				$target->("live.known.$commit.c$c.$f.cpu_to_hand", "CPU a hit to the hand-written function's: $where", '<=', 1.0);
				$target->("live.known.$commit.c$c.$f.hits_to_hand", "hits/s to its: $where", '>=', 1.0);
			}
		}
	}
	foreach my $commit (qw(off on))
	{
		$target->("edge.$commit.c64.kept.hits_to_one_client", "by HTTP, 64 connections: hits/s to one pgbench client, synchronous_commit $commit", '>=', 1.5);
		$target->("edge.$commit.c64.kept.p99_ms", "99th percentile, ms: by HTTP, 64 connections, synchronous_commit $commit", '<=', 50);
	}
	foreach my $kind (qw(query columns))
	{
		$target->("bulk.$kind.rows_to_copy", "COPY, $kind: rows/s to those of the COPY alone", '>=', 0.20);
		$target->("bulk.$kind.rows_to_live_off", "COPY, $kind: rows/s to the same hits one by one (synchronous_commit off)", '>=', 8);
		$target->("bulk.$kind.rows_to_window", "COPY, $kind: rows/s to window functions", '>=', 1.0);
	}
	if (@visits > 1)
	{
		$target->("lookup.v$visits[-1].$_.cpu_to_smallest", "look-up ($_) among $visits[-1] visits to that among $visits[0]", '<=', 1.5) foreach (qw(hit match));
	}
	$target->('retention.purge.p99_to_nothing', 'live hits beside a purge: 99th percentile to that beside nothing', '<=', 2.0);
	$target->("reports.$_.most_to_hand", "reports of a $_: CPU of each to that of SQL on the views", '<=', 1.0) foreach (qw(day month));
	$target->('rollups.rollups.warm.month.slowest_ms', 'roll-ups: the slowest report of a month of 10^7 visits a year, ms', '<=', 100);
	$target->('rollups.rollups.warm.year.slowest_ms', 'roll-ups: the slowest report of that year, ms', '<=', 1000);
	$target->('rollups.build.crowd_s', 'roll-ups: a day of 10^6 hits is built, s', '<=', 60);
	$target->('rollups.maintain.p99_to_nothing', 'live hits beside maintain() building: 99th percentile to that beside nothing', '<=', 1.5);
	$target->("storage.hot_share.$_", "HOT share of visit updates: $_", '>=', 0.95) foreach (qw(known logins shared_networks));
	$target->('memory.contexts_mb.last_to_one_before', "memory contexts after $after[-1] different hits to those after $after[-2]", '<=', 1.02) if (@after >= 2);

	my %out = (
		format => 1,
		machine => $group{machine} // {},
		run => $group{run} // {},
		quiet => $quiet,
		targets => \@targets,
		figures => \%figure,
		ratios => \%ratio,
		profile => { map { /^profile\.(.*)/ ? ($1 => $group{$_}) : () } keys %group },
		profile_functions => { map { /^profile_top\.(.*)/ ? ($1 => $group{$_}) : () } keys %group });
	binmode(STDOUT, ':raw');
	print JSON::PP->new->utf8->canonical->pretty->encode(\%out);
	return;
}

sub ratio
{
	my ($rounds, $key, $above, $below) = @_;
	my @r = map { $rounds->{$above}{$_} / $rounds->{$below}{$_} }
		grep { ($rounds->{$below}{$_} // 0) > 0 } keys %{ $rounds->{$above} // {} };
	$ratio{$key} = digits(median(@r), 4) if (@r);
	return;
}

# ------------------------------------------------------------------- printing

# the median of a figure, or a ratio, as printf has it; '' if it was not measured
sub f
{
	my ($key, $format) = @_;
	my $v = value($key);
	return defined($v) ? ($format eq 'n' ? thousands($v) : sprintf($format, $v)) : '';
}

sub percent { my ($key, $format) = @_; my $v = f($key, '%.8f'); return $v eq '' ? '' : sprintf(($format // '%.1f') . ' %%', 100 * $v); }

# how far the runs are apart
sub spread
{
	my ($key) = @_;
	my $g = $figure{$key} or return '';
	return $g->{min} > 0 ? sprintf('%.0f %%', 100 * ($g->{max} / $g->{min} - 1)) : '';
}

sub thousands
{
	my $n = sprintf('%.0f', shift);
	1 while ($n =~ s/^(\d+)(\d{3})/$1,$2/);
	return $n;
}

# table(MARKDOWN, TITLE, [HEADS], ROWS...): rows of which nothing was measured are left out
sub table
{
	my ($md, $title, $heads, @rows) = @_;
	@rows = grep { my $r = $_; grep { $_ ne '' } @$r[ grep { $heads->[$_] =~ /^\+/ } 0 .. $#$r ] } @rows;
	return unless (@rows);
	my @h = map { s/^\+//r } @$heads;
	if ($md)
	{
		print "\n**$title**\n\n| ", join(' | ', @h), " |\n|", join('|', map { $_ =~ /^\+/ ? '---:' : '---' } @$heads), "|\n";
		print '| ', join(' | ', @$_), " |\n" foreach (@rows);
		return;
	}
	my @w = map { my $i = $_; (sort { $b <=> $a } map { length($_->[$i]) } @rows, \@h)[0] } 0 .. $#h;
	print "\n$title\n", '-' x length($title), "\n";
	foreach my $r (\@h, @rows)
	{
		print join('  ', map { $heads->[$_] =~ /^\+/ ? sprintf("%*s", $w[$_], $r->[$_]) : sprintf("%-*s", $w[$_], $r->[$_]) } 0 .. $#h) =~ s/\s+$//r, "\n";
	}
	return;
}

# where, when and how it was measured
sub conditions
{
	my ($md) = @_;
	my ($m, $r, $q) = @$bench{qw(machine run quiet)};
	my $line = $md ? sub { print @_, "  \n" } : sub { print @_, "\n" };
	$line->("$m->{cpu}, $m->{cores} cores, " . sprintf('%.0f GB', $m->{memory_mb} / 1024) . ", $m->{system}, PostgreSQL $m->{postgresql}");
	$line->("$r->{date}, commit $r->{commit}, " . ($md ? "`$r->{command}`" : $r->{command}) . ($r->{took_s} ? sprintf(', %.0f minutes', $r->{took_s} / 60) : ''));
	$line->($md ? "`$r->{settings}`" : $r->{settings});
	if ($r->{quick} eq 'yes') { $line->('A smoke run (--quick): these figures mean nothing.'); }
	$line->($q->{quiet} ? 'The machine was quiet.' : 'THE MACHINE WAS NOT QUIET: ' . join('; ', @{ $q->{why_not} }) . '.');
	return;
}

sub tables
{
	my ($md) = @_;
	my $r = $bench->{run};
	conditions($md);

	my @contestants = ([ 'request', 'track_request()' ], [ 'track', 'track()' ], [ 'hand', 'by hand' ], [ 'insert', 'bare insert' ]);
	foreach my $what ([ 'known', 'Live: known visitors' ], [ 'popular', 'Live: shared networks, visitors without id' ], [ 'new', 'Live: new visitors' ])
	{
		my @rows;
		foreach my $commit (qw(off on))
		{
			foreach my $c (1, 4, 8)
			{
				foreach my $one (@contestants)
				{
					my $key = "live.$what->[0].$commit.c$c.$one->[0]";
					push(@rows, [ $commit, $c, $one->[1], f("$key.hits_per_s", 'n'), f("$key.cpu_us", '%.1f'), f("$key.hits_to_hand", '%.2f'), f("$key.cpu_to_hand", '%.2f'), spread("$key.cpu_us") ]);
				}
			}
		}
		table($md, $what->[1], [ 'sync. commit', 'clients', 'contestant', '+hits/s', '+CPU µs a hit', '+hits/s : hand', '+CPU : hand', '+spread' ], @rows);
	}

	table($md, 'A new connection',
		[ 'first hit', '+ms', '+fourth hit, ms', '+memory contexts MB', '+private MB' ],
		map { [ $_->[1], f("first.$_->[0].ms", '%.1f'), f("first.$_->[0].later_ms", '%.2f'), f("first.$_->[0].contexts_mb", '%.1f'), f("first.$_->[0].private_mb", '%.1f') ] }
			([ 'hand', 'by hand' ], [ 'nothing', 'no enrichment files' ], [ 'agent', 'user agent rules' ], [ 'city', 'city file' ], [ 'both', 'both' ]));

	table($md, 'A day of hits (' . thousands($r->{bulk_hits} // 0) . ')',
		[ 'how', '+rows/s', '+CPU µs a hit', '+spread' ],
		(map { [ $_->[1], f("bulk.$_->[0].hits_per_s", 'n'), f("bulk.$_->[0].cpu_us", '%.2f'), spread("bulk.$_->[0].hits_per_s") ] }
			([ 'plain_query', 'COPY alone, tracking URLs' ], [ 'tracked_query', 'COPY with the trigger, tracking URLs' ],
			[ 'plain_columns', 'COPY alone, columns' ], [ 'tracked_columns', 'COPY with the trigger, columns' ], [ 'window', 'window functions over the loaded rows' ])),
		map { my $commit = $_; map { [ "one by one, synchronous_commit $commit, $_ client" . ($_ > 1 ? 's' : ''), f("bulk.live.$commit.c$_.hits_per_s", 'n'), f("bulk.live.$commit.c$_.cpu_us", '%.2f'), spread("bulk.live.$commit.c$_.hits_per_s") ] } (1, 4, 8) } qw(off on));
	table($md, 'COPY with the trigger, ratios', [ 'to', '+URLs, rows/s', '+columns, rows/s', '+URLs, CPU', '+columns, CPU' ],
		map { my $to = $_; [ $to->[1], f("bulk.query.rows_to_$to->[0]", '%.3f'), f("bulk.columns.rows_to_$to->[0]", '%.3f'), f("bulk.query.cpu_to_$to->[0]", '%.3f'), f("bulk.columns.cpu_to_$to->[0]", '%.3f') ] }
			([ 'copy', 'the COPY alone' ], [ 'window', 'window functions' ], [ 'copy_and_window', 'COPY, then window functions' ],
			[ 'live_off', 'one by one, one connection, synchronous_commit off' ], [ 'live_on', 'one by one, one connection, synchronous_commit on' ]));
	table($md, 'What became of the hits', [ '', '+hits a visit', '+anonymous hits', '+visits located' ],
		map { [ $_, f("bulk.tracked_$_.hits_per_visit", '%.2f'), percent("bulk.tracked_$_.anonymous_share"), percent("bulk.tracked_$_.located_share") ] } qw(query columns));
	table($md, 'Indexes, at a COPY by columns', [ 'indexes', '+rows/s', '+CPU µs a hit', '+CPU : as it is' ],
		map { [ $_->[1], f("bulk.index.$_->[0].hits_per_s", 'n'), f("bulk.index.$_->[0].cpu_us", '%.2f'), f("bulk.index.$_->[0].cpu_to_as_is", '%.3f') ] }
			([ 'as_is', 'as create_log() makes them' ], [ 'no_brin', 'without the two on time (BRIN)' ],
			[ 'actions_btree', 'one more: actions (idsite, server_time)' ], [ 'visits_btree', 'one more: visits (idsite, visit_first_action_time)' ]));

	table($md, "Live hits ($r->{live_rate} a second, same sites) beside ingest()", [ 'ingest()', '+rows/s', '+median ms', '+99th percentile ms', '+longest ms', '+live hits' ],
		map { my $k = "ingest.$_->[0]"; [ $_->[1], f("$k.hits_per_s", 'n'), f("$k.median_ms", '%.2f'), f("$k.p99_ms", '%.2f'), f("$k.most_ms", '%.1f'), f("$k.live_hits", 'n') ] }
			([ 'without', 'none' ], [ 'batch_1000', 'batch 1,000' ], [ 'batch_10000', 'batch 10,000' ], [ 'batch_100000', 'batch 100,000' ]));

	table($md, 'Look-up: a hit of a known visitor, one client, synchronous_commit off',
		[ 'visits', '+table and indexes MB', '+any visitor: CPU µs', '+hits/s', '+CPU : smallest', '+newest visitors: CPU µs', '+CPU : smallest', '+match_visitor(): CPU µs', '+CPU : smallest' ],
		map { my $k = "lookup.v$_"; [ thousands($_), f("$k.size_mb", 'n'), f("$k.hit.cpu_us", '%.1f'), f("$k.hit.hits_per_s", 'n'), f("$k.hit.cpu_to_smallest", '%.2f'),
			f("$k.hit_newest.cpu_us", '%.1f'), f("$k.hit_newest.cpu_to_smallest", '%.2f'), f("$k.match.cpu_us", '%.1f'), f("$k.match.cpu_to_smallest", '%.2f') ] } split(/ /, $r->{visit_counts}));
	table($md, 'Look-up: an id with ' . thousands($r->{visits_of_one_id}) . ' visits', [ 'hit', '+CPU µs, 10 visits', '+CPU µs, many', '+ratio' ],
		map { [ $_->[1], f("lookup.one_id.few_$_->[0].cpu_us", '%.1f'), f("lookup.one_id.many_$_->[0].cpu_us", '%.1f'), f("lookup.one_id.$_->[0].cpu_many_to_few", '%.2f') ] }
			([ 'continue', 'goes on with the newest: track_request()' ], [ 'amid', 'belongs to one in their midst: match_visitor()' ], [ 'later', 'a day later, finds none: match_visitor()' ]));

	my @reports = sort map { /^reports\.month\.(\w+)\.report_ms$/ ? $1 : () } keys %figure;
	table($md, 'Reports over ' . thousands($r->{report_visits} // 0) . ' visits a month, read from the log, beside SQL on the views',
		[ 'report', '+day: CPU ms', '+by hand', '+ratio', '+month: CPU ms', '+by hand', '+ratio' ],
		map { my $n = $_; [ "report_$n()", map { my $k = "reports.$_.$n"; (f("$k.report_ms", '%.1f'), f("$k.hand_ms", '%.1f'), f("$k.to_hand", '%.2f')) } qw(day month) ] } @reports) if (@reports);
	table($md, 'The slowest five reports', [ 'report', '+of', '+CPU ms' ],
		map { /^reports\.(\w+)\.(\w+)\./; [ "report_$2()", "a $1", f($_, '%.0f') ] }
			(sort { $figure{$b}{median} <=> $figure{$a}{median} } grep { /^reports\..*\.report_ms$/ } keys %figure)[0 .. 4]) if (@reports >= 5);
	table($md, 'Bytes on disk', [ 'after', '+visit', '+its indexes', '+action', '+its indexes', '+name', '+its index', '+all, a hit' ],
		map { my $k = "storage.$_->[0]"; [ $_->[1], f("$k.visit_bytes", '%.0f'), f("$k.visit_index_bytes", '%.0f'), f("$k.action_bytes", '%.0f'), f("$k.action_index_bytes", '%.0f'), f("$k.name_bytes", '%.0f'), f("$k.name_index_bytes", '%.0f'), f("$k.hit_bytes", '%.0f') ] }
			([ 'bulk', 'one COPY' ], [ 'live', 'hits one by one' ]));
	table($md, 'WAL, bytes a hit', [ 'hit', '+bytes', '+by hand' ],
		[ 'of a known visitor', f('storage.known.wal_bytes', '%.0f'), f('storage.known_hand.wal_bytes', '%.0f') ],
		[ 'the same, just after a checkpoint', f('storage.known.wal_bytes_after_checkpoint', '%.0f'), '' ],
		[ 'of a new visitor', f('storage.new.wal_bytes', '%.0f'), f('storage.new_hand.wal_bytes', '%.0f') ],
		[ 'of a COPY, beyond the raw rows', f('storage.bulk.wal_bytes', '%.0f'), '' ]);
	table($md, 'HOT share of the updates of log_visit', [ 'hits', '+share' ],
		map { [ $_->[1], percent("storage.hot_share.$_->[0]", '%.2f') ] } ([ 'known', 'known visitors' ], [ 'logins', 'every fifth visitor logs in during the visit' ], [ 'everybody_logs_in', 'everybody does' ], [ 'shared_networks', 'shared networks' ]));
	table($md, 'fillfactor of log_visit, five hits a visit', [ 'fillfactor', '+HOT share', '+WAL bytes a hit', '+bytes a visit', '+its indexes' ],
		map { my $k = "storage.fillfactor_$_"; [ $_, percent("$k.hot_share", '%.2f'), f("$k.wal_bytes", '%.0f'), f("$k.visit_bytes", '%.0f'), f("$k.index_bytes", '%.0f') ] } (100, 90, 80, 60));

	table($md, 'By HTTP (pk_tracking_httpd, known visitors), beside pgbench of track_request()',
		[ 'sync. commit', 'who', '+hits/s', '+CPU µs a hit', '+of it the server', '+the daemon', '+median ms', '+99th percentile ms', '+hits/s : one pgbench client', '+CPU : its', '+server\'s CPU : its', '+spread' ],
		map { my $commit = $_; map { my $k = "edge.$commit.$_->[0]"; [ $commit, $_->[1], f("$k.hits_per_s", 'n'), f("$k.cpu_us", '%.1f'), f("$k.server_us", '%.1f'), f("$k.daemon_us", '%.1f'), f("$k.p50_ms", '%.2f'), f("$k.p99_ms", '%.1f'),
			f("$k.hits_to_one_client", '%.2f'), f("$k.cpu_to_one_client", '%.2f'), f("$k.server_cpu_to_one_client", '%.2f'), spread("$k.hits_per_s") ] }
			((map { [ "c$_.pgbench", "pgbench, $_ client" . ($_ > 1 ? 's' : '') ] } (1, 8, 64)), (map { [ "c$_.kept", "HTTP, $_ connection" . ($_ > 1 ? 's' : '') ] } (1, 8, 64)),
			[ 'c64.close', 'HTTP, 64 at a time, one for each hit' ]) } qw(off on));
	table($md, 'By HTTP, 64 connections, PostgreSQL restarts',
		[ 'sync. commit', '+hits/s', '+median ms', '+99th percentile ms', '+longest ms', '+refused', '+recorded beyond answered' ],
		map { my $k = "edge.$_.restart"; [ $_, f("$k.hits_per_s", 'n'), f("$k.p50_ms", '%.2f'), f("$k.p99_ms", '%.1f'), f("$k.most_ms", '%.0f'), f("$k.refused", '%.0f'), f("$k.recorded_beyond_answered", '%.0f') ] } qw(off on));

	my $all = $r->{different_hits} // 0;
	table($md, 'Memory of a backend after different hits', [ 'hits', '+contexts MB', '+private MB' ],
		map { [ thousands($_), f("memory.h$_.contexts_mb", '%.2f'), f("memory.h$_.private_mb", '%.2f') ] } ($all / 100, $all / 10, $all));

	my $p = $bench->{profile};
	my @of = grep { exists $p->{ $_->[0] } } ([ 'copy_query', 'COPY, URLs' ], [ 'copy_columns', 'COPY, columns' ], [ 'known_request', 'known' ], [ 'new_request', 'new' ], [ 'known_hand', 'known, by hand' ]);
	if (@of)
	{
		my %groups = map { map { $_ => 1 } keys %{ $p->{ $_->[0] } } } @of;
		my $sum = sub { my $g = shift; my $s = 0; $s += $p->{ $_->[0] }{$g} // 0 foreach (@of); return $s };
		table($md, 'Where the time goes, per cent of the backend', [ 'part', map { "+$_->[1]" } @of ],
			map { my $g = $_; [ $g, map { my $v = $p->{ $_->[0] }{$g}; defined($v) ? sprintf('%.1f', $v) : '' } @of ] }
				sort { $sum->($b) <=> $sum->($a) || $a cmp $b } keys %groups);
		if (!$md)
		{
			foreach my $o (@of)
			{
				my $t = $bench->{profile_functions}{ $o->[0] } or next;
				table(0, "Largest functions: $o->[1]", [ 'function', '+%' ], map { [ $_, sprintf('%.1f', $t->{$_}) ] } sort { $t->{$b} <=> $t->{$a} || $a cmp $b } keys %$t);
			}
		}
	}
	elsif ($r->{profile_skipped}) { print "\nNo profile: $r->{profile_skipped}\n"; }

	table($md, 'What must be reached', [ 'what', '+measured', '+wanted', 'reached' ],
		map { [ $_->{what}, sprintf('%.3f', $_->{value}), ($md ? ($_->{sense} eq '>=' ? '≥' : '≤') : $_->{sense}) . " $_->{bound}", $_->{reached} ? 'yes' : 'NO' ] } @{ $bench->{targets} });
	return;
}

# ------------------------------------------------------------------- in texts

# the short form: a table of hits one by one, one of loads, one of the rest
sub readme
{
	my $r = $bench->{run};
	conditions(1);
	my %name = (request => '`track_request()`', track => '`track()`', hand => 'by hand', insert => 'bare insert');
	my @rows;
	foreach my $what ([ 'known', 'known visitor' ], [ 'popular', 'shared networks, no id' ], [ 'new', 'new visitor' ])
	{
		foreach my $one (qw(request track hand insert))
		{
			my $key = sub { "live.$what->[0].$_[0].c$_[1].$one" };
			push(@rows, [ $what->[1], $name{$one},
				(map { my $commit = $_; join(' / ', map { f($key->($commit, $_) . '.hits_per_s', 'n') || '–' } (1, 4, 8)) } qw(off on)),
				join(' / ', map { f($key->('off', $_) . '.cpu_us', '%.0f') || '–' } (1, 4, 8)) ]);
		}
	}
	@rows = grep { $_->[2] =~ /\d/ } @rows;
	table(1, 'One by one: hits/s and CPU µs a hit with 1 / 4 / 8 clients', [ 'hit', 'by', '+hits/s, synchronous_commit off', '+on', '+CPU µs (off)' ], @rows);
	table(1, 'A day of ' . thousands($r->{bulk_hits} // 0) . ' hits in one COPY', [ 'rows', '+rows/s', '+CPU µs a hit', '+to the COPY alone', '+to window functions', '+to one by one' ],
		(map { my $k = $_->[0]; [ $_->[1], f("bulk.tracked_$k.hits_per_s", 'n'), f("bulk.tracked_$k.cpu_us", '%.2f'), f("bulk.$k.rows_to_copy", '%.2f'), f("bulk.$k.rows_to_window", '%.2f'), f("bulk.$k.rows_to_live_off", '%.1f') ] }
			([ 'query', 'tracking URLs' ], [ 'columns', 'columns' ])),
		[ 'columns, COPY alone', f('bulk.plain_columns.hits_per_s', 'n'), f('bulk.plain_columns.cpu_us', '%.2f'), '', '', '' ],
		[ 'columns, window functions over the loaded rows', f('bulk.window.hits_per_s', 'n'), f('bulk.window.cpu_us', '%.2f'), '', '', '' ]);
	my @v = split(/ /, $r->{visit_counts});
	my $many = $v[-1];
	my $all = $r->{different_hits} // 0;
	table(1, 'The rest', [ 'what', '+measured' ],
		[ 'CPU µs of a known visitor\'s hit among ' . join(' / ', map { thousands($_) } @v) . ' visits', (join(' / ', map { f("lookup.v$_.hit.cpu_us", '%.0f') || '–' } @v) =~ s/^[–\/ ]*$//r) ],
		[ 'the same of the newest visitors', (join(' / ', map { f("lookup.v$_.hit_newest.cpu_us", '%.0f') || '–' } @v) =~ s/^[–\/ ]*$//r) ],
		[ 'live hits: median / 99th percentile ms, without and beside `ingest()`', f('ingest.without.median_ms', '%.2f') eq '' ? '' : join(' and ', map { f("ingest.$_.median_ms", '%.2f') . ' / ' . f("ingest.$_.p99_ms", '%.1f') } qw(without batch_10000)) ],
		[ 'first hit of a new connection, ms; a later one', f('first.both.ms', '%.1f') eq '' ? '' : f('first.both.ms', '%.1f') . '; ' . f('first.both.later_ms', '%.2f') ],
		[ 'memory of a backend after ' . join(' / ', map { thousands($_) } ($all / 10, $all)) . ' different hits, MB', (join(' / ', map { f("memory.h$_.contexts_mb", '%.1f') || '–' } ($all / 10, $all)) =~ s/^[–\/ ]*$//r) ],
		[ 'bytes of a visit, of an action (with indexes)', (value('storage.bulk.visit_bytes') // '') eq '' ? '' : join(', ', map { sprintf('%.0f', value("storage.bulk.${_}_bytes") + value("storage.bulk.${_}_index_bytes")) } qw(visit action)) ],
		[ 'WAL bytes of a known visitor\'s hit, of a new one\'s, of a hit in a COPY', f('storage.known.wal_bytes', '%.0f') eq '' ? '' : join(', ', map { f("storage.$_.wal_bytes", '%.0f') } qw(known new bulk)) ],
		[ 'HOT share of visit updates: known visitors, a fifth logs in, shared networks', percent('storage.hot_share.known') eq '' ? '' : join(', ', map { percent("storage.hot_share.$_") } qw(known logins shared_networks)) ]);
	return;
}

# what a print routine prints, as a text
sub printed
{
	my ($sub, @args) = @_;
	my $text = '';
	open(my $out, '>:encoding(UTF-8)', \$text) or die "$!\n";
	my $was = select($out);
	$sub->(@args);
	select($was);
	close($out);
	utf8::decode($text);
	return $text;
}

# one figure as it stands in a text; its unit is the end of its name
sub in_text
{
	my ($key) = @_;
	return "\n" . printed(\&readme) . "\n" if ($key eq 'readme');
	return "\n" . printed(\&tables, 1) . "\n" if ($key eq 'all');
	my $v = value($key);
	return '…' unless (defined($v));
	return thousands($v) if ($key =~ /hits_per_s$/);
	return sprintf('%.1f %%', 100 * $v) if ($key =~ /share/);
	return sprintf('%.0f', $v) if ($key =~ /bytes/);
	return sprintf(abs($v) < 10 ? '%.2f' : '%.1f', $v);
}

sub fill
{
	my ($file) = @_;
	open(my $in, '<:encoding(UTF-8)', $file) or die "$file: $!\n";
	my $text = do { local $/ = undef; <$in> };
	close($in);
	$text =~ s{(<!--bench ([\w.]+)-->).*?(<!--/bench-->)}{ $1 . in_text($2) . $3 }gse;
	open(my $out, '>:encoding(UTF-8)', $file) or die "$file: $!\n";
	print $out $text;
	close($out) or die "$file: $!\n";
	return;
}
