# Which hits go together, and what becomes of each when a batch fails or its
# connection is lost.
use strict;
use warnings;
use Edge;
use Proxy;
use Time::HiRes qw(sleep);

database('pk_edge_batches');
my $work = work_dir();
my $proxy = Proxy->start("$work/proxy");
my $hit = '/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fshop.example.org%2F';

sub empty { sql('TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.edge_batch'); }
sub titles { return sql(q{SELECT string_agg(title, ' ' ORDER BY title) FROM pk_tracking.action}); }

# in the background: the status goes to a file
my @children;
sub send_later
{
	my ($daemon, $path, $name) = @_;
	my $pid = fork // die $!;

	if ($pid == 0)
	{
		my $answer = request($daemon, $path);
		open my $f, '>', "$work/answer.$name.new";
		print $f $answer->{status};
		close $f;
		rename "$work/answer.$name.new", "$work/answer.$name";
		require POSIX;
		POSIX::_exit(0);
	}
	push @children, $pid;
	unlink "$work/answer.$name";
}
sub answered { return slurp("$work/answer.$_[0]"); }
sub collect { waitpid $_, 0 for @children; @children = (); }

my $psql;
sub begin_lock
{
	my $id = shift;
	open $psql, '|-', 'psql', '-X', '-q', '-d', 'pk_edge_batches', '-o', '/dev/null' or die $!;
	$psql->autoflush(1);
	print $psql "BEGIN; SELECT pk_tracking.track(1, 'https://shop.example.org/lock', visitor_id => '$id');\n";
	wait_for(20, sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()}) > 0 }) or die 'no lock';
}
sub end_lock { print $psql "ROLLBACK;\n"; close $psql; }

# --- locks
my $daemon = start_daemon(answer_timeout => '30s');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected');
empty();
begin_lock('00000000000000f1');
send_later($daemon, "$hit&action_name=blocked$_&_id=00000000000000f1", "blocked$_") for 1 .. 3;
send_later($daemon, "$hit&action_name=free$_&_id=00000000000000e$_", "free$_") for 1 .. 9;
ok(wait_for(25, sub { !grep { answered("free$_") ne '200' } 1 .. 9 }), 'while a visitor is locked, hits of others are recorded');
is(titles(), join(' ', map { "free$_" } 1 .. 9), 'and no others');
send_later($daemon, "$hit&action_name=free$_&_id=00000000000000d$_", "free$_") for 10 .. 15;
ok(wait_for(25, sub { !grep { answered("free$_") ne '200' } 10 .. 15 }), 'further ones, too');
is(join(',', map { answered("blocked$_") } 1 .. 3), ',,', 'those of the locked visitor wait');
end_lock();
ok(wait_for(25, sub { !grep { answered("blocked$_") ne '200' } 1 .. 3 }), 'until the lock is free');
collect();
is(sql('SELECT count(*) FROM pk_tracking.action'), 18, 'all are recorded once');
Edge::stop_daemon($daemon);

# --- what comes while a batch is under way goes together
$daemon = start_daemon(answer_timeout => '30s', connections => 1, lock_timeout => '20s');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'one connection, which waits for locks');
empty();
begin_lock('00000000000000f1');
send_later($daemon, "$hit&action_name=first&_id=00000000000000f1", 'first');
wait_for(20, sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'edge_tracker'}) > 0 });
send_later($daemon, "$hit&action_name=b$_&_id=00000000000001" . sprintf('%02x', $_), "b$_") for 10 .. 39;
wait_for(20, sub { my $n = `curl -s --unix-socket $daemon->{socket} http://x/healthz`; sleep 0.5; 1 });
end_lock();
ok(wait_for(25, sub { !grep { answered("b$_") ne '200' } 10 .. 39 }), '30 hits that came meanwhile are recorded');
collect();
is(sql('SELECT count(*) FROM pk_tracking.action'), 31, 'once');
ok(sql('SELECT sum(number) FROM pk_tracking.edge_batch') < 20, 'in few transactions', sql('SELECT sum(number) FROM pk_tracking.edge_batch'));
Edge::stop_daemon($daemon);

# --- errors
$daemon = start_daemon(answer_timeout => '30s');
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected');
empty();
sql(<<'SQL');
CREATE SEQUENCE public.calls;
CREATE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	title text := (SELECT name FROM pk_tracking.log_action WHERE idaction = NEW.idaction_name LIMIT 1);
BEGIN
	IF title ~ '^again_' AND nextval('public.calls') % 4 <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = substr(title, 7, 5), MESSAGE = 'once more';
	ELSIF title ~ '^never_' THEN
		RAISE EXCEPTION USING ERRCODE = substr(title, 7, 5), MESSAGE = 'never';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER fault BEFORE INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION public.fault();
SQL
for my $code ('40001', '40P01')
{
	is(request($daemon, "$hit&action_name=again_${code}_a&_id=00000000000000b1")->{status}, 200, "a hit with $code is tried again");
	is(titles(), "again_${code}_a", 'and recorded once');
	empty();
}
send_later($daemon, "$hit&action_name=never_22000&_id=00000000000000c9", 'never');
send_later($daemon, "$hit&action_name=good$_&_id=00000000000000c$_", "good$_") for 1 .. 8;
collect();
is(answered('never'), 500, 'a hit that PostgreSQL cannot take is status 500');
is(join(' ', map { answered("good$_") } 1 .. 8), join(' ', (200) x 8), 'and spoils no other');
is(titles(), join(' ', map { "good$_" } 1 .. 8), 'all others are recorded, once');
ok(slurp($daemon->{log}) =~ /a hit cannot be recorded \(SQLSTATE 22000\)/ && slurp($daemon->{log}) !~ /never|good|shop/, 'the log tells it without the hit');
is(request($daemon, "$hit&action_name=never_57014&_id=00000000000000d1")->{status}, 500, 'one that is cancelled each time is, too');
Edge::stop_daemon($daemon);

# --- the same by way of the spool
$daemon = start_daemon(answer_timeout => '2s', spool_after => '200ms', batch_max => 4, spool_directory => "$work/spool", spool_key_file => memory_dir() . '/key');
empty();
sql('ALTER ROLE edge_tracker NOLOGIN');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_tracker'});
send_later($daemon, "$hit&action_name=$_&_id=00000000000000d4", $_) for 's1', 'never_57014', map { "s$_" } 2 .. 40;
collect();
is(join(' ', map { answered($_) } 'never_57014', 's1', 's2'), '200 200 200', 'PostgreSQL is away: the spool takes them');
system 'sed', '-i', 's/^batch_max.*/batch_max = 1000/', $daemon->{config};
kill 'HUP', $daemon->{pid};
ok(wait_for(20, sub { slurp($daemon->{log}) =~ /was read again/ }), 'batch_max is raised meanwhile');
sql('ALTER ROLE edge_tracker LOGIN');
ok(wait_for(25, sub { sql('SELECT count(*) FROM pk_tracking.action') == 40 }), 'all are recorded but one, which is cancelled each time', sql('SELECT count(*) FROM pk_tracking.action'));
like(slurp($daemon->{log}), qr/a hit of the spool was given up: 57014/, 'it is given up');
ok(wait_for(25, sub { request($daemon, '/metrics')->{body} =~ /^pk_tracking_spool_records 0$/m }), 'the spool is empty');
sql('DROP TRIGGER fault ON pk_tracking.log_link_visit_action');

# --- a document whose visitor is locked
empty();
begin_lock('00000000000000f1');
is(request($daemon, '/matomo.php', '-d', '{"requests":["?idsite=1&rec=1&action_name=document&_id=00000000000000f1"]}')->{status}, 503, 'a document whose visitor is locked is refused in the end');
is(request($daemon, '/metrics')->{body} =~ /^pk_tracking_spool_records (\d+)$/m && $1, 0, 'in the spool it would keep others waiting');
is(request($daemon, "$hit&action_name=other&_id=00000000000000f2")->{status}, 200, 'other hits go on');
is(titles(), 'other', 'and are recorded at once');
end_lock();
Edge::stop_daemon($daemon);

# --- lost connections
$daemon = start_daemon(answer_timeout => '30s', database => "host=$work/proxy port=5432 dbname=pk_edge_batches user=edge_tracker");
ok(wait_for(20, sub { request($daemon, "${hit}0")->{status} == 200 }), 'connected by a proxy');
empty();
for my $mode ('cut', 'drop')
{
	$proxy->mode($mode);
	is(request($daemon, "$hit&action_name=$mode&_id=00000000000000b2")->{status}, 200,
		$mode eq 'cut' ? 'a connection that is lost between COMMIT and its answer: 200' : 'one that is lost before the hit: 200');
	is($proxy->read_mode, 'pass', 'it was lost');
	is(titles(), $mode, 'the hit is recorded once');
	empty();
}
# the server gets the hit only when the daemon has asked for it on another connection
unlink "$work/proxy/go";
$proxy->mode('late');
is(request($daemon, "$hit&action_name=late&_id=00000000000000b3")->{status}, 200, 'a hit that comes to the server late was sent again');
open my $go, '>', "$work/proxy/go";
close $go;
ok(wait_for(20, sub { -s "$work/proxy/late" }), 'the late one comes');
ok(slurp("$work/proxy/late") =~ /cannot be committed any more/, 'and is refused');
is(titles(), 'late', 'so it is recorded once');
is(request($daemon, "$hit&action_name=next&_id=00000000000000b3")->{status}, 200, 'and the daemon goes on');
$proxy->stop;

# --- what the operator's connection string asks of the server counts
$daemon = start_daemon(answer_timeout => '1s', database => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=pk_edge_batches user=edge_tracker options='-c default_transaction_read_only=on'");
is(request($daemon, $hit)->{status}, 503, 'options of the connection string reach the server');
like(slurp($daemon->{log}), qr/SQLSTATE 25006/, 'and these are they');

done();
