# Expressions that are broken off are read to their end and not beyond it.
# valgrind watches a single-user server that reads a file of such rules: each is
# so long that the server's allocator gives it a block of its own, and fills it,
# so that the first byte after it is nobody's.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'valgrind is not installed'
  if system('valgrind --version >/dev/null 2>&1') != 0;

my @endings = (
	'(?', '((?', 'a|(?', 'a|b(?', '(?:a|(?', '(?:', '(?:(', '(', '(*', '[', '[^', '[]', '[a', '[a-',
	'[^a-', '[[:', '[\\\\', '\\\\', '\\\\x', 'a{', 'a{1', 'a{1,', 'a{,', 'a*', 'a+?', 'a|', '(a|', '^', '.');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgcrypto; CREATE EXTENSION pk_tracking');
$node->stop;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $rules = "$dir/regexes.yaml";
my $log = "$dir/valgrind.log";
my $yaml = '';
foreach my $list (qw(user_agent_parsers os_parsers device_parsers))
{
	$yaml .= "$list:\n";
	foreach my $ending (@endings)
	{
		# with its NUL the text has a length that needs no alignment
		my $len = length($ending =~ s/\\\\/\\/gr);
		$yaml .= '  - regex: "' . ('x' x (8 * 1100 - 1 - $len)) . "$ending\"\n";
	}
}
append_to_file($rules, $yaml);

my ($out, $err) = ('', '');
my $sql = 'SELECT rules, left(error, 15) FROM pk_tracking.user_agent_rules(true)';
IPC::Run::run(
	[
		'valgrind', '--quiet', '--error-exitcode=99', "--log-file=$log", '--undef-value-errors=no',
		'postgres', '--single', '-j', '-D', $node->data_dir, '-c',
		"pk_tracking.user_agent_rules_file=$rules", 'postgres'
	],
	'<', \"LOAD 'pk_tracking';\n\n$sql;\n\n", '>', \$out, '2>', \$err);
my $status = $? >> 8;
my $n = 3 * @endings;
like($out, qr/rules = "$n"/, "all $n rules were read");
is($status, 0, 'no byte was read that belongs to nobody');
my $found = slurp_file($log);
diag($found) if $found ne '';
unlike($found, qr/ua_rules\.c/, 'valgrind names no line of the reader');

done_testing();
