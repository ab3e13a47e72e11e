#!/usr/bin/perl
# Puts the functions that perf has seen into groups: our modules (by the object
# file that a function stands in), libraries, parts of the server (by its names).
#
#   bench/profile.pl NAME BUILD PERF_REPORT
#
# Prints facts "profile.NAME, group, per cent", and the 15 largest functions as
# "profile_top.NAME, function (group), per cent".
use strict;
use warnings;

my ($name, $build, $report) = @ARGV;
my %module;
foreach my $object (glob("$build/src/*.o $build/src/*/*.o"))
{
	my ($where) = $object =~ m{\Q$build\E/src/(.*)\.o$};
	my $group = $where =~ m{^(\w+)/} ? "our $1" : 'our settings';
	open(my $nm, '-|', 'nm', '--defined-only', $object) or die "nm: $!\n";
	while (<$nm>)
	{
		$module{ plain($1) } = $group if (/ [tT] (\S+)$/);
	}
	close($nm);
}

sub plain
{
	my ($symbol) = @_;
	$symbol =~ s/\.(isra|part|constprop|cold|lto_priv).*//;
	return $symbol;
}

# The first that fits.
my @server = (
	[ 'server: indexes', qr/^(_bt_|bt|index_|brin|_hash_|systable_|ExecInsertIndexTuples|FormIndexDatum|ExecOpenIndices|fmgr_info_copy_bt)/ ],
	[ 'server: WAL', qr/^(XLog|xlog|pg_comp_crc32|CRC|CopyXLog|GetXLog|WAL|log_heap|AdvanceXLInsert|Reserve)/ ],
	[ 'server: heap and tuples', qr/^(heap_|heap|Relation|slot_|tts_|Buffer|ReadBuffer|ReleaseBuffer|LockBuffer|MarkBuffer|Page|visibilitymap|tuplestore|writetup|readtup|toast|detoast|GetPrivateRef|PinBuffer|UnpinBuffer|HeapTuple|fill_val|nocachegetattr|varstr_|pg_detoast|StartReadBuffer|ExecFetch|ExecStore|fsm_|GetPageWith)/ ],
	[ 'server: COPY and input', qr/^(CopyFrom|Copy|NextCopy|BeginCopy|pq_|secure_|pg_verify|pg_utf|pg_mb|InputFunction|.*_in$|.*in_internal|DecodeDate|ParseDate|Decode|timestamptz|tm2|j2date|date2j|pg_strto|network_in|pg_inet|inet)/ ],
	[ 'server: memory', qr/^(AllocSet|palloc|pfree|repalloc|MemoryContext|Generation|Slab)/ ],
	[ 'server: locks and snapshots', qr/^(LWLock|Lock|LockAcquire|GetSnapshot|hash_search|hash_bytes|ProcArray|PredicateLock|tag_hash|ResourceOwner|TransactionId|Xid|CheckForSerial|GetTransaction|CommitTransaction|StartTransaction|SubTrans|Resource)/ ],
	[ 'server: plans and executor', qr/^(Exec|SPI_|standard_|Portal|Plan|ReScan|Init|Prep|plpgsql|exec_|CreateQuery|FreeQuery|Revalidate|Acquire|Cached|CheckCached|GetCachedPlan|lookup_rel|Trigger|AfterTrigger|fmgr|Function|eval|int|text|cash|numeric)/ ],
	[ 'server: catalog', qr/^(SearchSysCache|SearchCat|Catalog|RelationIdGet|relation_|table_|LockRelation|CatCache|get_|ReleaseSys|ReleaseCat)/ ],
);

sub group
{
	my ($dso, $symbol) = @_;
	return 'kernel' if ($dso =~ /kernel|\[k/ || $dso =~ /^\[/);
	return $module{ plain($symbol) } // 'our others' if ($dso =~ /^pk_tracking/);
	return 'plpgsql' if ($dso =~ /^plpgsql/);
	return 'library: regular expressions' if ($dso =~ /pcre2|^perf-|jit|anon|unknown/i);
	return 'library: GeoIP file' if ($dso =~ /maxminddb|\.mmdb/);
	return 'library: digests' if ($dso =~ /crypto/);
	return 'library: C' if ($dso =~ /^libc[.-]|^ld-|libm[.-]/);
	return "library: $dso" if ($dso ne 'postgres');
	foreach my $s (@server)
	{
		return $s->[0] if ($symbol =~ $s->[1]);
	}
	return 'server: other';
}

my (%share, @functions);
open(my $in, '<', $report) or die "$report: $!\n";
while (<$in>)
{
	next if (/^\s*(#|$)/);
	chomp;
	my ($percent, $dso, $symbol) = map { s/^\s+|\s+$//gr } split(/\|/, $_, 3);
	next if (!defined($symbol) || $percent !~ /^([\d.]+)%?$/);
	$percent = $1;
	$symbol =~ s/^\[.\]\s*//;
	$symbol =~ s/\s*\|.*//;
	my $group = group($dso, $symbol);
	$share{$group} += $percent;
	push(@functions, [ $percent, $symbol =~ /^0x/ ? "one without a name" : $symbol, $group ]);
}
close($in);
foreach my $g (sort { $share{$b} <=> $share{$a} || $a cmp $b } keys %share)
{
	printf("profile.%s\t%s\t%.2f\n", $name, $g, $share{$g}) if ($share{$g} >= 0.05);
}
my $n = 0;
foreach my $f (sort { $b->[0] <=> $a->[0] } grep { $_->[1] ne 'one without a name' } @functions)
{
	printf("profile_top.%s\t%s (%s)\t%.2f\n", $name, $f->[1], $f->[2], $f->[0]);
	last if (++$n == 15);
}
