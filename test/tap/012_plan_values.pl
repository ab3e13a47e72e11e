# What the server shows of our plans, if the caller lets it print them, holds no
# value: not the ids of the visit to which a hit is joined.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log();
SELECT pk_tracking.add_site('a');
CREATE ROLE tracker;
SELECT pk_tracking.grant_tracker('tracker');
SELECT pk_tracking.track(1, 'https://a.example/', ip => '192.0.2.1', user_agent => 'x', visitor_id => '1122334455667788');
SQL

# an order: its id is looked for among the orders of the visit's visitor
my $order = "SELECT outcome FROM pk_tracking.track_request('idsite=1&rec=1&idgoal=0&ec_id=1&revenue=1', '192.0.2.1', 'x');";
# bytes of a Const, in either order, over line breaks
my $id = qr/-120\s+119\s+102\s+85\s+68\s+51\s+34\s+17|17\s+34\s+51\s+68\s+85\s+102\s+119\s+-120/;
my $show = 'SET client_min_messages = log; SET debug_print_plan = on; SET debug_pretty_print = off; SET plan_cache_mode = force_custom_plan;';

my ($code, $out, $err) = $node->psql('postgres',
	"$show SELECT 1 FROM pk_tracking.log_visit WHERE idvisitor OPERATOR(public.=) '1122334455667788';");
like($err, $id, 'a plan with the id shows it');
# a trigger of the owner's lets hits be written by statements
foreach my $way ('fast', 'slow')
{
	$node->safe_psql('postgres', <<'SQL') if $way eq 'slow';
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER keep BEFORE INSERT OR UPDATE ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION keep();
CREATE TRIGGER keep BEFORE INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION keep();
SQL
	($code, $out, $err) = $node->psql('postgres', "SET ROLE tracker; $show BEGIN; $order ROLLBACK;");
	is($out, 'recorded', "$way: the hit is recorded");
	like($err, qr/PLANNEDSTMT/, "$way: plans are shown");
	unlike($err, $id, "$way: without the id of the visitor");
}
$node->stop;
done_testing();
