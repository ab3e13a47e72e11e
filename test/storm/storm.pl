#!/usr/bin/perl
# test/storm/run calls this with the directory of its server.
#
#   storm.pl DIR [--long] [--seed N] [--rules piwik|matomo]
#
# 1. Clients track by all roads, a number of transactions that is given, while a
#    director cancels and terminates statements, kills backends and the whole
#    server, and fills the disk.  The transactions between two events are counted;
#    nothing is told by time.
# 2. A table of locks that is too small.
# 3. Two-phase commit.
# 4. The same checks on logs with one planted fault each: they must see it.
#
# Each hit has an id of its own (pv_id).  One whose transaction was acknowledged is
# in the log once, one that was refused is not, one whose answer was lost is there
# once or not at all.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Handle;
use IO::Select;
use List::Util qw(shuffle sum);
use POSIX ();
use Session;
use Time::HiRes qw(sleep);

my $dir = shift;
my ($long, $seed, @rules) = (0, 1);
while (@ARGV)
{
	my $a = shift;
	if ($a eq '--long') { $long = 1; }
	elsif ($a eq '--seed') { $seed = shift; }
	elsif ($a eq '--rules') { @rules = shift; }
	else { die "usage: run [--long] [--seed N] [--rules piwik|matomo]\n"; }
}
@rules = $long ? qw(piwik matomo) : 'piwik' if !@rules;
# a bound, not a measure: what takes longer has hung.  It takes half a minute on two
# cores of its own; a slow build may be given more by STORM_LIMIT, in seconds.
my $deadline = time + ($ENV{STORM_LIMIT} // ($long ? 3600 : 300));
my $work = "$dir/work";
my $data = "$dir/data";
my $server_log = "$dir/server.log";
my $space = "$dir/space";
my ($passed, $failed) = (0, 0);
my %pids;		# of our clients
my $base = "'2026-01-05 10:00+00'::timestamptz";
$| = 1;
srand $seed;
$ENV{STORM_SPACE} = $space;

my $began = time;
sub say { print @_, "\n"; return; }

# is(got, wanted, name)
sub is
{
	my ($got, $wanted, $name) = @_;
	if ($got eq $wanted) { $passed++; say(sprintf('ok       %3ds %s', time - $began, $name)); return; }
	$failed++;
	say("FAILED   $name");
	say("         wanted $wanted");
	say("         got    $got");
	return;
}

sub finish
{
	kill 'KILL', keys %pids;
	say("storm: $passed passed, $failed failed");
	exit($failed ? 1 : 0);
}

# ---- the server -------------------------------------------------------------------

my @as_pg = $> == 0 ? ('setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', 'env', "HOME=$dir") : ();
sub as_pg { return system(@as_pg, @_) == 0; }

sub configure
{
	my (%add) = @_;
	my %conf = (listen_addresses => "''", unix_socket_directories => "'$dir'", fsync => 'off', max_connections => 40,
		max_prepared_transactions => 20, shared_buffers => '64MB', log_line_prefix => "'%m:%p:%e:'", autovacuum_naptime => '1s',
		max_worker_processes => 2, max_parallel_workers => 0, checkpoint_timeout => '1h', %add);
	open my $f, '>', "$data/postgresql.auto.conf" or die $!;
	print $f "$_ = $conf{$_}\n" for sort keys %conf;
	close $f;
	return;
}

# start: again and again, because what is left of a killed server may live for a moment
sub start
{
	local $ENV{LD_PRELOAD} = $ENV{STORM_DISK} eq 'preload' ? "$dir/full.so" : '';
	delete $ENV{LD_PRELOAD} if !$ENV{LD_PRELOAD};
	until (as_pg('sh', '-c', "pg_ctl -D '$data' -l '$server_log' -w -s start >'$work/start' 2>&1"))
	{
		die "the server does not start: " . slurp("$work/start") if time > $deadline;
		sleep 0.1;
	}
	return;
}

sub stop { my ($mode) = @_; return as_pg('pg_ctl', '-D', $data, '-m', $mode, '-w', '-s', 'stop'); }

sub killed { return scalar(() = slurp($server_log) =~ /was terminated by signal 9\b/g); }

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/ = undef; my $t = <$f>; return $t // ''; }

# what a server's log may not say; signals 9 are ours
sub log_faults
{
	my ($text) = @_;
	return grep { /PANIC|TRAP:|:XX[0-9]{3}:|was terminated by signal (?!9\b)|Sanitizer/ } split /\n/, $text;
}

# ask(sql): one value, by a session of its own
sub ask
{
	my ($sql) = @_;
	my $s = Session->new('director', $work, $deadline);
	my ($end, @rows) = $s->send($sql);
	$s->disconnect;
	return $end eq 'done' ? join("\n", @rows) : "$end @rows";
}

# ---- clients ----------------------------------------------------------------------

# What may be refused: cancelled, deadlock of several hits, a large document after
# other hits, and, only while it is so, a full disk.
my %may_be_refused = map { $_ => 1 } qw(57014 40P01 55P03 53100);

package Client;

use Time::HiRes qw(sleep);

# A client has a number, a way of its own, and a journal of what became of its hits.
sub new
{
	my ($class, $n, $way, $told) = @_;
	srand($seed * 1000 + $n);
	open my $journal, '>', "$work/journal.$n" or die $!;
	return bless { n => $n, way => $way, hits => 0, journal => $journal, told => $told, refused => {},
		session => Session->new("client$n", $work, $deadline) }, $class;
}

sub note
{
	my ($self, $state, @hits) = @_;
	# rolled back, whatever else happened
	print { $self->{journal} } join("\t", $_->{id}, $_->{site}, $_->{who}, $_->{gone} ? 'E' : $state, $_->{road}), "\n" for @hits;
	$self->{journal}->flush;
	return;
}

sub refused
{
	my ($self, $state) = @_;
	$self->fault("SQLSTATE $state") if !$may_be_refused{$state};
	$self->{refused}{$state}++;
	open my $f, '>>', "$work/refused" or die $!;
	print $f "$self->{way} $state\n";
	close $f;
	# let the others see it, too
	sleep 0.05 if $state eq '53100';
	return $state eq '53100' ? 'f' : 'o';
}

sub fault
{
	my ($self, $text) = @_;
	open my $f, '>>', "$work/faults" or die $!;
	print $f "$self->{way}: $text\n";
	close $f;
	return;
}

sub base36
{
	my ($n, $digits) = @_;
	my $t = '';
	for (1 .. $digits) { $t = substr('0123456789abcdefghijklmnopqrstuvwxyz', $n % 36, 1) . $t; $n = int($n / 36); }
	die "no ids left\n" if $n;
	return $t;
}

# hit(site, road): a new one, of a person who has others
sub hit
{
	my ($self, $site, $road) = @_;
	my $id = base36($self->{n}, 2) . base36($self->{hits}++, 4);
	my $who = int(rand($site eq 'shop' ? 20 : 60));
	# late or not: any moment of half an hour
	my $at = int(rand(1500));
	# new names, and known ones
	my $url = 'http://example.org/' . (rand() < 0.3 ? $id : int(rand(30)));
	return { id => $id, site => $site, who => $who, road => $road, at => $at, url => $url,
		visitor => sprintf('%016x', $who + 16), ip => sprintf('10.%d.0.1', $who + 1), idsite => "(SELECT idsite FROM kind WHERE name = '$site')" };
}

my %site_number = (known => 1, guest => 2, user => 3, daily => 4, nobody => 5, shop => 6);

# what tells the person, as arguments of track() and as parameters
sub person
{
	my ($h) = @_;
	return $h->{site} eq 'user' ? "user_id => 'user $h->{who}'"
	  : $h->{site} =~ /guest|daily/ ? "ip => '$h->{ip}', user_agent => 'agent'"
	  : $h->{site} eq 'nobody' ? ($h->{who} % 2 ? "session_cookie => 'e" . substr($h->{visitor}, 1) . "', " : '') . "ip => '$h->{ip}', user_agent => 'agent'"
	  : "visitor_id => '$h->{visitor}'";
}

# call(hit): a query that gives the outcome
sub call
{
	my ($h) = @_;
	my $n = $site_number{ $h->{site} };
	if ($h->{road} eq 'request')
	{
		my $who = $h->{site} eq 'user' ? "uid=user%20$h->{who}" : $h->{site} =~ /known|shop/ ? "_id=$h->{visitor}" : '';
		return "SELECT t.outcome FROM pk_tracking.track_request('idsite=$n&rec=1&url=$h->{url}&pv_id=$h->{id}&$who', "
		  . ($h->{site} =~ /guest|daily|nobody/ ? "'$h->{ip}', 'agent', " : '') . "at => $base + interval '$h->{at} s') t";
	}
	my $order = $h->{order} ? qq(, params => '{"idgoal": 0, "ec_id": "o$h->{id}", "revenue": 5}') : '';
	return "SELECT t.outcome FROM pk_tracking.track($n, '$h->{url}', " . person($h)
	  . ", pv_id => '$h->{id}', at => $base + interval '$h->{at} s'$order) t";
}

# attempt(sql, hits): send, note what became of the hits, tell the director
sub attempt
{
	my ($self, $sql, @hits) = @_;
	my ($end, @rest) = $self->{session}->send($sql);
	my $gone = grep { $_->{gone} } @hits;
	my $told = 'o';
	if ($end eq 'done')
	{
		my $bad = grep { !/^(recorded|\d+)$/ } @rest;
		$self->fault("outcome @rest") if $bad;
		$self->note('A', @hits);
	}
	elsif ($end eq 'refused')
	{
		$told = $self->refused($rest[0]);
		$self->note('E', @hits);
	}
	else { $self->note('U', @hits); }
	syswrite $self->{told}, $told;
	return $end;
}

my %way = (
	# single hits of all kinds of people, sometimes two in a transaction
	hits => sub {
		my ($self) = @_;
		my @sites = qw(known guest user daily nobody);
		my @hits = map { $self->hit($sites[ rand @sites ], rand() < 0.5 ? 'track' : 'request') } 1 .. (rand() < 0.1 ? 2 : 1);
		$self->attempt(join('\; ', map { call($_) } @hits), @hits);
	},
	orders => sub {
		my ($self) = @_;
		my $h = $self->hit('shop', 'track');
		if (rand() < 0.5) { $self->attempt(call($h), $h); return; }
		# a shop sends an order again until it has an answer
		$h->{order} = 1;
		while (1)
		{
			my ($end, @rest) = $self->{session}->send(call($h));
			syswrite $self->{told}, ($end eq 'refused' ? $self->refused($rest[0]) : 'o');
			last if $end eq 'done' && "@rest" =~ /^(recorded|invalid)$/;
			$self->fault("order: outcome @rest") if $end eq 'done';
			die "an order does not get through\n" if time > $deadline;
		}
		$self->note('A', $h);
	},
	# what comes to nothing, as a whole or in part
	aborts => sub {
		my ($self) = @_;
		my @hits = map { $self->hit((qw(known nobody user daily))[ rand 4 ], 'track') } 1 .. 2;
		$hits[0]{gone} = 1;
		$hits[1]{url} = "http://example.org/$hits[1]{id}";
		my ($a, $b) = map { call($_) } @hits;
		if (rand() < 0.5)
		{
			$hits[1]{gone} = 1;
			$self->attempt("BEGIN\\; $a\\; $b\\; ROLLBACK", @hits);
			# its new name was not kept
			$hits[0] = $self->hit('known', 'track');
			$hits[0]{url} = $hits[1]{url};
			$self->attempt(call($hits[0]), $hits[0]);
		}
		else { $self->attempt("BEGIN\\; SAVEPOINT s\\; $a\\; ROLLBACK TO s\\; $b\\; COMMIT", @hits); }
	},
	# small ones lock people, large ones sites
	documents => sub {
		my ($self) = @_;
		my @hits = map { $self->hit('known', 'document') } 1 .. (rand() < 0.3 ? 150 : 1 + int(rand(10)));
		my $requests = join(', ', map { '"?idsite=1&rec=1&url=' . "$_->{url}&pv_id=$_->{id}&_id=$_->{visitor}&cdt=" . (1767607200 + $_->{at}) . '"' } @hits);
		$self->attempt("SELECT CASE WHEN bool_and(t.outcome = 'recorded') THEN count(*)::text ELSE 'not recorded' END "
			. "FROM pk_tracking.track_requests('[$requests]', trusted => true) t", @hits);
	},
	copy => sub {
		my ($self) = @_;
		my @hits = map { $self->hit('known', 'raw') } 1 .. (rand() < 0.3 ? 150 : 2 + int(rand(10)));
		my $file = "$work/copy.$self->{n}";
		open my $f, '>', $file or die $!;
		print $f join("\t", $_->{id}, 1, POSIX::strftime('%Y-%m-%d %H:%M:%S+00', gmtime(1767607200 + $_->{at})), $_->{visitor}, $_->{url}), "\n" for @hits;
		close $f;
		$self->attempt("COPY raw (hit, idsite, at, visitor_id, url) FROM '$file'", @hits);
	},
	# rows for the two loads
	feed => sub {
		my ($self) = @_;
		my $table = (qw(later taken))[ rand 2 ];
		my @hits = map { $self->hit('known', $table) } 1 .. 1 + int(rand(10));
		$self->attempt("INSERT INTO $table (hit, idsite, at, visitor_id, url) VALUES "
			. join(', ', map { "('$_->{id}', 1, $base + interval '$_->{at} s', '$_->{visitor}', '$_->{url}')" } @hits), @hits);
	},
	later => sub { my ($self) = @_; $self->attempt(load('later')); },
	taken => sub { my ($self) = @_; $self->attempt(load('taken')); },
	maintain => sub { my ($self) = @_; $self->attempt('SELECT count(*) FROM pk_tracking.maintain()'); },
	# prepared transactions, of which one may find what is left after it lost its connection
	prepare => sub {
		my ($self) = @_;
		my @hits = map { $self->hit((qw(known nobody daily))[ rand 3 ], 'prepared') } 1 .. 1 + int(rand(2));
		my $gid = "storm_$self->{n}_$self->{hits}";
		my $commit = rand() < 0.6;
		my ($end, @rest) = $self->{session}->send("BEGIN\\; " . join('\; ', map { call($_) } @hits) . "\\; PREPARE TRANSACTION '$gid'");
		syswrite $self->{told}, ($end eq 'refused' ? $self->refused($rest[0]) : 'o');
		if ($end eq 'refused')
		{
			$self->note('E', @hits);
			return;
		}
		$self->fault("PREPARE TRANSACTION: outcome @rest") if grep { $_ ne 'recorded' } @rest;
		# whatever happens: as long as it is there it waits for this decision
		my $word = $commit ? 'COMMIT' : 'ROLLBACK';
		my $known = $end eq 'done';
		while (1)
		{
			my ($there, $n) = $self->{session}->send("SELECT count(*) FROM pg_prepared_xacts WHERE gid = '$gid'");
			die "a prepared transaction does not end\n" if time > $deadline;
			next if $there ne 'done';
			last if !$n;
			$known = 1;
			$self->{session}->send("$word PREPARED '$gid'");
		}
		# gone without having been seen: it was never prepared
		$self->note($known && $commit ? 'A' : 'E', @hits);
	});

# as few statements as a load may have, so that loads are interrupted between them, too
sub load
{
	my ($table) = @_;
	return "CALL pk_tracking.ingest('$table', '{\"idsite\": \"idsite\", \"at\": \"at\", \"visitor_id\": \"visitor_id\", \"url\": \"url\", \"pv_id\": \"hit\"}', batch => 20"
	  . ($table eq 'taken' ? ', consume => true)' : ')');
}

# run(permits): a transaction for each byte that can be read
sub run
{
	my ($self, $permits) = @_;
	$way{ $self->{way} }->($self) while sysread $permits, my $one, 1;
	$self->{session}->disconnect;
	return;
}

package main;

# ---- the director -----------------------------------------------------------------

# a client's backend that is at work
sub victim
{
	my ($s, $what) = @_;
	my ($end, $pid) = $s->send("SELECT $what FROM (SELECT a.pid FROM pg_stat_activity a WHERE a.application_name = 'storm' AND a.state = 'active' ORDER BY random() LIMIT 1) v");
	return $end eq 'done' ? $pid : undef;
}

my %done;		# events that have happened
my $restarts = 0;		# of the server after a crash
sub again { $restarts++; start(); return 1; }

my $director;
my %event = (
	cancel => sub { return victim($director, 'pg_cancel_backend(pid)'); },
	terminate => sub { return victim($director, 'pg_terminate_backend(pid)'); },
	kill => sub {
		my ($pid, $before) = (victim($director, 'pid'), killed());
		return 0 if !$pid || !kill('KILL', $pid);
		$director->disconnect;
		# a backend may end by itself between the look and the kill: then another one
		for (1 .. 200)
		{
			return 1 if killed() > $before;
			sleep 0.02;
		}
		return 0;
	},
	immediate => sub { $director->disconnect; stop('immediate'); return again(); },
	postmaster => sub {
		my ($pid) = slurp("$data/postmaster.pid") =~ /^(\d+)/;
		$director->disconnect;
		kill 'KILL', $pid;
		return again();
	},
	# as when memory is short: all of them
	everything => sub {
		my ($pid) = slurp("$data/postmaster.pid") =~ /^(\d+)/;
		$director->disconnect;
		my @children = split ' ', slurp("/proc/$pid/task/$pid/children");
		kill 'KILL', $pid, @children;
		return again();
	});

sub fill_disk
{
	if ($ENV{STORM_DISK} eq 'preload') { open my $f, '>', "$space/full" or die $!; close $f; return; }
	open my $f, '>', "$space/ballast" or die $!;
	my $block = "\1" x 65536;
	# to the last byte
	while (length $block)
	{
		my $n = syswrite $f, $block;
		$block = substr($block, 0, length($block) / 2) if !$n;
	}
	close $f;
	return;
}

sub empty_disk { unlink "$space/full", "$space/ballast"; return; }

# what the server's sessions wait for when time is over
sub hung
{
	my $s = Session->new('director', $work, $deadline + 30);
	my ($end, @rows) = $s->send("SELECT a.pid, a.state, a.wait_event_type, a.wait_event, pg_blocking_pids(a.pid), left(a.query, 200) FROM pg_stat_activity a WHERE a.application_name = 'storm' AND a.state <> 'idle'"
		. "\\; SELECT 'prepared', p.gid, p.prepared FROM pg_prepared_xacts p\\; SELECT 'lock', l.pid, l.locktype, l.objsubid, l.mode, l.granted, l.waitstart FROM pg_locks l WHERE NOT l.granted");
	say("         $_") foreach $end, @rows;
	$s->disconnect;
	return;
}

# storm(events, transactions, ways): each event comes after so many transactions that
# the clients may begin, and before more of them; none may be missing at the end.
sub storm
{
	my ($events, $transactions, @ways) = @_;
	pipe(my $ear, my $mouth) or die $!;
	pipe(my $permits, my $grant) or die $!;
	my $n = 0;
	foreach my $way (@ways)
	{
		$n++;
		my $pid = fork // die $!;
		if (!$pid)
		{
			close $ear;
			close $grant;
			local $SIG{ALRM} = sub { die "time is over\n" };
			alarm($deadline - time + 5);
			eval { Client->new($n, $way, $mouth)->run($permits); 1 } or Client::fault({ way => $way }, "died: $@");
			POSIX::_exit(0);
		}
		$pids{$pid} = 1;
	}
	close $mouth;
	close $permits;
	my ($granted, $ended, $refused) = (0, 0, 0);
	# hear(n): until so many transactions have ended
	my $hear = sub {
		my ($until) = @_;
		my $select = IO::Select->new($ear);
		while ($ended < $until && time <= $deadline)
		{
			next if !$select->can_read(1);
			sysread $ear, my $told, 4096 or return;
			$ended += length $told;
			$refused += ($told =~ tr/f//);
		}
		return;
	};
	my $more = sub { my ($k) = @_; syswrite $grant, '.' x $k; $granted += $k; return; };
	my $each = int($transactions / @$events);
	$director = Session->new('director', $work, $deadline);
	while (@$events && time <= $deadline)
	{
		$more->($each);
		# some of them have ended, some run
		$hear->($granted - @ways / 2);
		my $event = $events->[0];
		if ($event eq 'full')
		{
			fill_disk();
			my $until = $refused + 10;
			while ($refused < $until && time <= $deadline)
			{
				$more->(scalar @ways);
				$hear->($granted - @ways / 2);
			}
			empty_disk();
		}
		else
		{
			# nobody may be at work at this moment
			until ($event{$event}->())
			{
				last if time > $deadline;
				$more->(2);
			}
		}
		$done{$event}++;
		shift @$events;
	}
	close $grant;
	# until the last client has gone
	until (time > $deadline)
	{
		next if !IO::Select->new($ear)->can_read(1);
		last if !sysread $ear, my $told, 4096;
	}
	$director->disconnect;
	hung() if time > $deadline;
	foreach my $pid (keys %pids)
	{
		kill 'KILL', $pid if time > $deadline;
		waitpid $pid, 0;
		delete $pids{$pid};
	}
	is(time > $deadline ? 'time is over' : 'in time', 'in time', 'all transactions of all clients have ended');
	is(join(' ', @$events), '', 'all events have happened');
	say("         $granted transactions, " . join(', ', map { "$done{$_} $_" } sort keys %done) . ", $refused refused for want of space ($ENV{STORM_DISK})");
	return $refused;
}

# how often the server has lost its unlogged tables
sub crashes { return killed() + $restarts; }

# check(when): everything that must hold
sub check
{
	my ($when) = @_;
	ask('ANALYZE');
	is(ask("SELECT w.rule || ': ' || count(*) || ', ' || min(w.which) FROM wrong w GROUP BY w.rule"), '', "$when: no hit lost or doubled, no visit, name or link wrong");
	is(ask('SELECT * FROM our_locks'), '', "$when: no lock is left");
	is(ask('SELECT * FROM broken_indexes()'), '', "$when: indexes match the tables") if ask('SELECT can_check_indexes()') eq 't';
	return;
}

sub read_journals
{
	open my $f, '>', "$work/sent" or die $!;
	print $f slurp($_) for glob "$work/journal.*";
	close $f;
	# those that were read before, too: hits get their end once
	is(ask("TRUNCATE sent\\; COPY sent FROM '$work/sent'"), '', 'the journals are read');
	ask('UPDATE crash SET n = ' . crashes());
	return;
}

# ---- a table of locks that is too small -------------------------------------------

sub few_locks
{
	configure(max_locks_per_transaction => 10);
	stop('fast');
	start();
	open my $nobody, '>', '/dev/null' or die $!;
	my @clients = map { my $c = Client->new(100 + $_, (qw(hits documents copy aborts later maintain))[$_], $nobody); $c->{session}->connect; $c } 0 .. 5;

	# one transaction that wants more than there are
	my ($greedy) = $clients[0];
	my @hits = map { $greedy->hit('known', 'greedy') } 1 .. 3000;
	my ($end, $state) = $greedy->{session}->send('SELECT count(*) FROM (VALUES ' . join(', ', map { "('$_->{id}', $_->{who})" } @hits)
		. ") v (hit, who), pk_tracking.track(1, 'http://example.org/', user_id => v.hit, pv_id => v.hit, at => $base)");
	is("$end $state", 'refused 53200', 'locks: a transaction of 3000 hits runs out of them');
	$greedy->note('E', @hits);
	is($greedy->attempt(Client::call($hits[0] = $greedy->hit('known', 'track')), $hits[0]), 'done', 'locks: the next hit of the same session is tracked');

	# somebody else has taken them all
	$may_be_refused{53200} = 1;
	my $holder = Session->new('director', $work, $deadline);
	is(join(' ', $holder->send('DO $$ BEGIN FOR i IN 1 .. 100000 LOOP PERFORM pg_advisory_lock(i); END LOOP; EXCEPTION WHEN out_of_memory THEN END $$\; '
		. 'SELECT count(*) BETWEEN 100 AND 99999 FROM pg_locks WHERE pid = pg_backend_pid()')), 'done t', 'locks: all are taken');
	foreach my $c (@clients) { $way{ $c->{way} }->($c) for 1 .. 5; }
	is(join(' ', map { "$_->{way}" } grep { !$_->{refused}{53200} && $_->{way} ne 'maintain' } @clients), '', 'locks: all roads are refused with 53200 now');
	delete $may_be_refused{53200};
	$holder->send('SELECT pg_advisory_unlock_all()');
	$holder->disconnect;
	$_->{refused} = {} foreach @clients;
	foreach my $c (@clients) { $way{ $c->{way} }->($c) for 1 .. 5; }
	is(join(' ', map { %{ $_->{refused} } } @clients), '', 'locks: and are open again after it');
	$_->{session}->disconnect foreach @clients;
	is(slurp("$work/faults"), '', 'locks: nothing else was refused');
	read_journals();
	check('locks');
	return;
}

# ---- two-phase commit ---------------------------------------------------------------

# As doc/concurrency.md, "Two-phase commit", says.
sub two_phases
{
	configure();
	stop('fast');
	start();
	open my $nobody, '>', '/dev/null' or die $!;
	my $c = Client->new(120, 'prepared', $nobody);
	my $other = Client->new(121, 'other', $nobody);
	my $s = $c->{session};
	my $outcome = sub { return join ' ', $_[0]->{session}->send($_[1]); };
	# of one person on each site; a day without a salt
	my $made = sub {
		my ($client, $site) = @_;
		my $h = $client->hit($site, 'prepared');
		@$h{qw(who visitor ip url)} = (200, sprintf('%016x', 216), '10.201.0.1', 'http://example.org/prepared');
		return $h;
	};
	my $usual = $base;
	$base = "'2026-01-15 10:00+00'::timestamptz";
	my $prepare = sub {
		my ($gid, @hits) = @_;
		return $outcome->($c, 'BEGIN\; ' . join('\; ', map { Client::call($_) } @hits) . "\\; PREPARE TRANSACTION '$gid'");
	};
	my @sites = qw(known user guest daily nobody shop);
	my $all = 'done' . ' recorded' x @sites;

	# which a transaction destroys that comes to nothing
	# the table of days that are neither near nor past for a short time
	my $table = 'pk_tracking.daily_salt_' . ask("SELECT (current_date + 4 - '2000-01-01'::date) % 8");
	ask("INSERT INTO $table (idsite, day, value, expires) VALUES (9, '2020-01-01', '\\x00', '2020-01-04')");
	my $expired = "SELECT count(*) FROM $table";
	is(ask($expired), '1', '2PC: a salt has expired');

	# rolled back
	my @hits;
	my $destroyed;
	for (1 .. 10)
	{
		@hits = map { $made->($c, $_) } @sites;
		$hits[5]{order} = 1;
		is($prepare->('gone', @hits), $all, '2PC: hits of all kinds are prepared');
		$destroyed = ask("SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass AND mode = 'AccessExclusiveLock'");
		last if $destroyed;
		# somebody was reading the table at that moment: that is put off
		$outcome->($c, "ROLLBACK PREPARED 'gone'");
		$c->note('E', @hits);
		sleep 1.1;
	}
	is($destroyed, '1', '2PC: the salt is destroyed by one of them');
	is($outcome->($other, "BEGIN\\; SET LOCAL lock_timeout = '50ms'\\; " . Client::call($made->($other, 'known')) . '\; COMMIT'), 'refused 55P03', '2PC: further hits of the visitor wait');
	is(ask("SELECT count(*) FROM found WHERE hit IN ('" . join("', '", map { $_->{id} } @hits) . "')"), '0', '2PC: nothing is seen of it');
	is($outcome->($c, "ROLLBACK PREPARED 'gone'"), 'done', '2PC: ROLLBACK PREPARED');
	$c->note('E', @hits);
	is(ask('SELECT count(*) FROM our_locks'), '0', '2PC: its locks are gone');
	# the session has forgotten what it made, and what it destroyed
	foreach my $client ($c, $other)
	{
		my @again = map { $made->($client, $_) } @sites;
		is($client->attempt(join('\; ', map { Client::call($_) } @again), @again), 'done', "2PC: $client->{way} session tracks the same people");
		next if $client != $c;
		for (1 .. 10)
		{
			last if !ask($expired);
			sleep 1.1;
			my $h = $made->($c, 'known');
			$c->attempt(Client::call($h), $h);
		}
		is(ask($expired), '0', '2PC: and the salt is destroyed');
		is(ask('SELECT * FROM broken'), '', '2PC: and the names are there');
	}

	# a crash between
	@hits = map { $made->($c, $_) } @sites;
	$hits[5]{order} = 1;
	is($prepare->('kept', @hits), $all, '2PC: prepared again');
	$_->{session}->disconnect foreach $c, $other;
	stop('immediate');
	again();
	is($outcome->($other, "BEGIN\\; SET LOCAL lock_timeout = '50ms'\\; " . Client::call($made->($other, 'known')) . '\; COMMIT'), 'refused 55P03', '2PC: its locks survive a crash');
	is($outcome->($other, "COMMIT PREPARED 'kept'"), 'done', '2PC: COMMIT PREPARED by another session');
	$c->note('A', @hits);
	foreach my $client ($c, $other)
	{
		my @again = map { $made->($client, $_) } @sites;
		is($client->attempt(join('\; ', map { Client::call($_) } @again), @again), 'done', "2PC: $client->{way} session tracks after it");
	}
	$base = $usual;
	$_->{session}->disconnect foreach $c, $other;
	is(slurp("$work/faults"), '', '2PC: nothing else was refused');
	read_journals();
	check('2PC');
	is(ask("SELECT string_agg(x.site || ' ' || x.n, ', ' ORDER BY x.site) FROM (SELECT s.site, count(DISTINCT f.idvisit) AS n FROM sent s JOIN found f USING (hit) WHERE s.who = 200 GROUP BY 1) x"),
		'daily 2, guest 1, known 1, nobody 2, shop 1, user 1', '2PC: visits of each kind');
	return;
}

# ---- do the checks see what is wrong? -----------------------------------------------

sub controls
{
	my $one = "(SELECT f.hit, f.idsite, f.idvisit FROM found f JOIN sent s USING (hit) JOIN pk_tracking.log_link_visit_action l ON l.idpageview = f.hit WHERE s.site = 'known' AND s.state = 'A' ORDER BY f.hit LIMIT 1)";
	my $action = 'pk_tracking.log_link_visit_action';
	my $copy = sub {
		my ($table, $from, %set) = @_;
		my $row = "jsonb_populate_record(NULL::$table, to_jsonb(r) || jsonb_build_object(" . join(', ', map { "'$_', $set{$_}" } sort keys %set) . '))';
		return "INSERT INTO $table SELECT ($row).* FROM $table r WHERE $from";
	};
	my $this = "r.idpageview = (SELECT hit FROM $one o)";
	my $kept = "SELECT hit FROM sent s JOIN $action l ON l.idpageview = s.hit WHERE s.state = 'A'";
	my %plant = (
		'hit is doubled' => $copy->($action, $this, idlink_va => 'r.idlink_va + 1000000'),
		'row of a load is tracked and still there' => [ 'hit is doubled', 'INSERT INTO taken (hit, idsite) SELECT s.hit, 1 FROM sent s JOIN found f USING (hit) WHERE s.road = \'taken\' LIMIT 1' ],
		'hit is lost' => "DELETE FROM $action r WHERE $this",
		'order is lost' => [ 'hit is lost', "DELETE FROM pk_tracking.log_conversion c WHERE c.idorder = (SELECT min(idorder) FROM pk_tracking.log_conversion)" ],
		'refused hit is there' => "UPDATE $action r SET idpageview = (SELECT min(hit) FROM sent WHERE state = 'E') WHERE $this",
		'nobody sent this hit' => $copy->($action, $this, idlink_va => 'r.idlink_va + 1000000', idpageview => "'strang'"),
		'hit is with another site' => "UPDATE $action r SET idsite = 2 WHERE $this",
		'visit is doubled' => $copy->('pk_tracking.log_visit', "r.idvisit = (SELECT idvisit FROM $one o)", idvisit => '-1') . "\\; UPDATE $action r SET idvisit = -1 WHERE $this",
		'visit of several people' => "UPDATE $action r SET idvisit = (SELECT max(v.idvisit) FROM pk_tracking.log_visit v WHERE v.idsite = r.idsite AND v.idvisit <> r.idvisit) WHERE $this",
		'visit does not add up' => "UPDATE pk_tracking.log_visit SET visit_total_actions = visit_total_actions + 1 WHERE idvisit = (SELECT idvisit FROM $one o)",
		# the table's own trigger would take the actions along
		'action without a visit' => "SET LOCAL session_replication_role = replica\\; DELETE FROM pk_tracking.log_visit WHERE idvisit = (SELECT idvisit FROM $one o)",
		'session link without a visit' => "INSERT INTO pk_tracking.session_link_0 VALUES (gen_random_uuid(), now(), -1, 5)",
		'name is missing' => "DELETE FROM pk_tracking.log_action a USING $action r WHERE a.idsite = r.idsite AND a.idaction = r.idaction_url AND $this",
		'run counts other hits' => "UPDATE pk_tracking.ingest_run SET hits = hits + 1 WHERE idrun = (SELECT min(idrun) FROM pk_tracking.ingest_run)",
		'row and hit differ' => "DELETE FROM raw WHERE n = (SELECT min(n) FROM raw)");
	foreach my $name (sort keys %plant)
	{
		my ($rule, $sql) = ref $plant{$name} ? @{ $plant{$name} } : ($name, $plant{$name});
		my $s = Session->new('director', $work, $deadline);
		my ($end, @seen) = $s->send("BEGIN\\; $sql\\; SELECT count(*) FROM wrong WHERE rule = '$rule'\\; ROLLBACK");
		is("$end " . (@seen && $seen[-1] > 0 ? 'seen' : "@seen"), 'done seen', "control: $name");
		$s->disconnect;
	}
	my $planted = "2026-01-05 10:00:00 UTC:1:XX000:ERROR:  x\n2026-01-05 10:00:00 UTC:1:00000:PANIC:  x\nTRAP: x\nLOG:  server process (PID 1) was terminated by signal 11: x\n"
	  . "LOG:  server process (PID 1) was terminated by signal 9: Killed\n2026-01-05 10:00:00 UTC:1:57014:ERROR:  x\n";
	is(scalar(log_faults($planted)), 4, 'control: lines of a log');
	return;
}

# ---- all of it ----------------------------------------------------------------------

my @ways = (('hits') x 3, qw(orders aborts documents copy feed later taken maintain prepare));
my $times = $long ? 10 : 1;

sub everything
{
	my ($rules) = @_;
	say("== $rules rules");
	unlink glob "$work/journal.* $work/faults $work/refused";
	%done = ();
	$ENV{PGDATABASE} = 'postgres';
	system('psql', '-Xqc', 'DROP DATABASE IF EXISTS storm', '-c', 'CREATE DATABASE storm TABLESPACE small') == 0
	  && system('psql', '-Xqo', '/dev/null', '-d', 'storm', '-v', "rules=$rules", map { ('-f', "$FindBin::Bin/$_") } qw(setup.sql ../locks/invariants.sql checks.sql)) == 0
	  or die "no database\n";
	my @events = shuffle((map { ('kill') x 20, ('cancel') x 120, ('terminate') x 40, 'full', 'full' } 1 .. $times), qw(immediate postmaster everything));
	my $refused = storm(\@events, 3600 * $times, @ways);
	is($done{kill} // 0, 20 * $times, 'backends were killed');
	is($refused > 0 ? 'some' : 'none', 'some', 'hits were refused while the disk was full');
	is(slurp("$work/faults"), '', 'every other hit was recorded, or refused as documented');
	read_journals();
	check('after the storm');
	my %refused;
	$refused{$_}++ foreach split /\n/, slurp("$work/refused");
	say('         refused: ' . join(', ', map { "$_ $refused{$_}" } sort keys %refused));
	say('         sent: ' . join(', ', split /\n/, ask("SELECT s.road || ' ' || string_agg(s.state::text || ' ' || s.n, ' ' ORDER BY s.state::text) FROM (SELECT road, state, count(*) AS n FROM sent GROUP BY 1, 2) s GROUP BY s.road ORDER BY 1")));
	is(ask("SELECT count(*) > 0 FROM sent WHERE state = 'U'"), 't', 'answers were lost');
	is(ask(Client::load('later')) . ask(Client::load('taken')), '', 'the rest is loaded');
	is(ask('SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM later l WHERE NOT EXISTS (SELECT FROM found f WHERE f.hit = l.hit))'), '0|0', 'every row was tracked');
	check('in the end');
	few_locks();
	two_phases();
	controls();
	return;
}

mkdir $work;
chmod 0777, $work;
as_pg('sh', '-c', "initdb -D '$data' -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 >'$dir/initdb.log' 2>&1") or die slurp("$dir/initdb.log");
configure();
start();
mkdir "$space/pg";
system('chown', 'postgres:', "$space/pg") if $> == 0;
eval {
	system('psql', '-Xq', '-d', 'postgres', '-c', "CREATE TABLESPACE small LOCATION '$space/pg'") == 0 or die "no tablespace\n";
	everything($_) foreach @rules;
	1;
} or is($@, '', 'it came to its end');
is(join("\n", log_faults(slurp($server_log))), '', "the server's log");
finish();
