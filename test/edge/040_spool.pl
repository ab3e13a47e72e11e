# Hits while PostgreSQL is away: in memory, then refused; with a spool, kept on disk
# and recorded afterwards, once, in their order and with their times.
use strict;
use warnings;
use Edge;
use Time::HiRes qw(sleep);

database('pk_edge_spool');
my $work = work_dir();
my $spool = "$work/spool";
my @options = (answer_timeout => '1s', spool_after => '200ms');
my $hit = '/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fshop.example.org%2F';

sub away
{
	sql('ALTER ROLE edge_tracker NOLOGIN');
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_tracker'});
}

sub back { sql('ALTER ROLE edge_tracker LOGIN'); }

# titles in the order in which they were recorded
sub titles { return sql(q{SELECT string_agg(title, ' ' ORDER BY idlink_va) FROM pk_tracking.action}); }

sub connected
{
	my $daemon = shift;
	return wait_for(20, sub { request($daemon, "$hit&action_name=probe&uid=probe")->{status} == 200 });
}

back();
my $daemon = start_daemon(@options);
ok(connected($daemon), 'without a spool: connected');
away();
my $answer = request($daemon, "${hit}a&action_name=a");
is($answer->{status}, 503, 'without a spool a hit waits for PostgreSQL, then is refused');
like($answer->{headers}, qr/^Retry-After: \d+$/m, 'it says when to come again');
back();
ok(connected($daemon), 'it connects again by itself');
is(sql(q{SELECT count(*) FROM pk_tracking.action WHERE title = 'a'}), 0, 'what was refused is not recorded');
Edge::stop_daemon($daemon);

sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action');
$daemon = start_daemon(@options, spool_directory => $spool, spool_key_file => memory_dir() . "/key");
ok(wait_for(20, sub { request($daemon, "${hit}0&action_name=0&_id=00000000000000a1")->{status} == 200 }), 'with a spool: connected');
sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action');
sql(q{SELECT pk_tracking.set_instance('server_cookie', 'on')});
request($daemon, "${hit}0&action_name=0&_id=00000000000000a1");
away();
for my $n (1 .. 5)
{
	$answer = request($daemon, "$hit$n&action_name=$n&_id=00000000000000a1" . ($n == 3 ? '&send_image=0' : ''));
	is($answer->{status}, $n == 3 ? 204 : 200, "hit $n is answered from the spool");
	ok($answer->{headers} !~ /Set-Cookie/, 'without a cookie');
}
is(request($daemon, "${hit}x&idsite=77")->{status}, 400, 'an unknown site is refused all the same');
$answer = request($daemon, '/matomo.php', '-d', '{"requests":["?idsite=1&rec=1&action_name=6&_id=00000000000000a1","?idsite=1&rec=1&action_name=7&_id=00000000000000a1"]}');
is("$answer->{status} $answer->{body}", '200 {"status": "success", "tracked": 2, "invalid": 0}', 'a document is taken, too');
is(titles(), '0', 'nothing of it is recorded yet');
my $found = `grep -rlaE 'shop.example|a1a1|action_name' $spool | wc -l`;
is($found + 0, 0, 'the spool shows nothing');
sleep 1.2;
back();
ok(wait_for(20, sub { titles() eq '0 1 2 3 4 5 6 7' }), 'all are recorded in their order') or print '    ' . titles() . "\n";
is(sql(q{SELECT count(DISTINCT idvisit) FROM pk_tracking.action}), '1', 'in one visit');
is(sql(q{SELECT bool_and(a.server_time < w.server_time + interval '15 seconds') AND max(a.server_time) < now() - interval '1 second' FROM pk_tracking.action a, pk_tracking.action w WHERE w.title = '0'}), 't', 'with the times of their arrival');
ok(wait_for(10, sub { request($daemon, "${hit}8&action_name=8&_id=00000000000000a1")->{headers} =~ /Set-Cookie/ }), 'then hits go the direct way again');

# killed with a full spool, and started again with PostgreSQL there
sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action');
away();
request($daemon, "$hit$_&action_name=$_&_id=00000000000000a1") for 1 .. 4;
Edge::stop_daemon($daemon, 'KILL');
back();
Edge::launch($daemon, 1);
ok(wait_for(20, sub { titles() eq '1 2 3 4' }), 'what a killed daemon left is recorded when it is started again') or print '    ' . titles() . "\n";
sleep 0.5;
is(titles(), '1 2 3 4', 'once');

# a hit that waits for a lock holds the others up, and nothing is lost
sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action');
away();
request($daemon, "$hit$_&action_name=$_&_id=00000000000000a$_") for 1 .. 3;
open my $psql, '|-', 'psql', '-X', '-q', '-d', 'pk_edge_spool', '-o', '/dev/null' or die $!;
$psql->autoflush(1);
print $psql "BEGIN; SELECT pk_tracking.track(1, 'https://shop.example.org/lock', visitor_id => '00000000000000a2');\n";
ok(wait_for(10, sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()}) == 1 }), 'a transaction holds the lock of a visitor');
back();
ok(wait_for(20, sub { titles() eq '1' }), 'what stands before its hit is recorded');
sleep 1;
is(titles(), '1', 'the others wait');
print $psql "ROLLBACK;\n";
close $psql;
ok(wait_for(20, sub { titles() eq '1 2 3' }), 'until the lock is free') or print '    ' . titles() . "\n";
done();
