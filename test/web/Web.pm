# What the tests of the web pages' daemon share: a log of two sites, roles with
# passwords, a daemon, log-ins.
package Web;
use strict;
use warnings;
use Edge;
use Exporter 'import';
use JSON::PP ();

our @EXPORT = qw(web_database start_web login api post json problem_of header_of web_done);

my $hba;
my $hba_before;
my @roles;

sub put { my ($file, $text) = @_; open my $f, '>', $file or die "$file: $!"; print $f $text; close $f }

# web_database(NAME): sites 1 and 2 with visits of the days 2026-11-16 and 17, and the
# roles web_daemon, web_analyst (all sites), web_one (site 1), web_admin (of site 1),
# web_chief (administrator of all), web_stranger (no grant_web()), web_super; each has the password "secret of " and its name
sub web_database
{
	my $name = shift;

	database($name);
	sql(q{SELECT pk_tracking.add_site('Blog', ARRAY['https://blog.example.org'])});
	for my $site (1, 2)
	{
		my $host = (qw(shop blog))[ $site - 1 ];
		sql(qq{SELECT pk_tracking.track($site, 'https://$host.example.org/page/' || i, '=formula(' || i || ')',
				ip => ('203.0.113.' || i)::inet, user_id => 'person' || i,
				user_agent => 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
				at => timestamptz '2026-11-16 12:00+00' + i * interval '1 hour')
			FROM generate_series(1, $site * 10) i});
	}
	@roles = qw(web_daemon web_analyst web_one web_admin web_chief web_stranger web_super);
	drop_roles();
	sql("CREATE ROLE $_ LOGIN PASSWORD 'secret of $_'") for @roles;
	sql('ALTER ROLE web_daemon NOINHERIT; ALTER ROLE web_super SUPERUSER');
	sql(q{SELECT pk_tracking.grant_analyst(r) FROM unnest('{web_analyst,web_stranger}'::name[]) r});
	sql(q{SELECT pk_tracking.grant_analyst('web_one', '{1}'), pk_tracking.grant_admin('web_admin', '{1}'), pk_tracking.grant_admin('web_chief')});
	sql(q{SELECT pk_tracking.grant_web(r, 'web_daemon') FROM unnest('{web_analyst,web_one,web_admin,web_chief}'::name[]) r});
	# passwords are asked for here alone
	$hba = sql('SHOW hba_file');
	$hba_before = slurp($hba);
	put($hba, "local $name web_daemon trust\nlocal $name postgres trust\nlocal $name all scram-sha-256\n$hba_before");
	sql('SELECT pg_reload_conf()');
}

sub drop_roles
{
	for my $role (reverse @roles)
	{
		next unless sql("SELECT to_regrole('$role') IS NOT NULL") eq 't';
		sql("DROP OWNED BY $role; DROP ROLE $role");
	}
}

# start_web(OPTION => VALUE …): a daemon of the pages in a directory of the test's
sub start_web
{
	my %options = @_;
	my $root = work_dir() . '/pages';

	if (!-d $root)
	{
		mkdir $root;
		mkdir "$root/lib";
		put("$root/index.html", "<!DOCTYPE html><title>Statistics</title><script type=module src=/web/app.js></script>\n");
		put("$root/app.js", "export const one = 1;\n");
		put("$root/lib/style.css", "body { color: black }\n");
		put("$root/.hidden.js", "hidden\n");
		put("$root/notes.key", "secret\n");
	}
	return start_daemon(
		web_root => $root,
		database => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=" . sql('SELECT current_database()') . ' user=web_daemon',
		%options);
}

sub json { return JSON::PP->new->utf8->allow_nonref->decode($_[0]) }

sub header_of
{
	my ($answer, $name) = @_;
	my @values = $answer->{headers} =~ /^\Q$name\E: (.*)$/mgi;
	return wantarray ? @values : $values[0];
}

# post(DAEMON, PATH, DATA, CURL'S ARGUMENTS …)
sub post
{
	my ($daemon, $path, $data, @args) = @_;
	return request($daemon, $path, '-H', 'Content-Type: application/json', '--data-binary', JSON::PP->new->encode($data), @args);
}

# login(DAEMON, ROLE, PASSWORD): a hash with status, csrf, and curl's arguments of the session
sub login
{
	my ($daemon, $role, $password) = @_;
	my $answer = post($daemon, '/api/login', { user => $role, password => $password // "secret of $role" });
	my ($cookie) = (header_of($answer, 'Set-Cookie') // '') =~ /^([^;]*)/;

	return {
		%$answer,
		cookie => $cookie,
		csrf => $answer->{status} == 200 ? json($answer->{body})->{csrf} : undef,
		args => [ '-H', 'Cookie: ' . ($cookie // '') ]
	};
}

# api(DAEMON, SESSION OR UNDEF, PATH, CURL'S ARGUMENTS …): status, body, and data if it is JSON
sub api
{
	my ($daemon, $session, $path, @args) = @_;
	my $answer = request($daemon, "/api/$path", @{ $session ? $session->{args} : [] }, @args);

	$answer->{data} = eval { json($answer->{body}) } if (header_of($answer, 'Content-Type') // '') =~ /json/;
	return $answer;
}

sub problem_of
{
	my $answer = shift;
	my $data = $answer->{data} // eval { json($answer->{body}) } // {};
	return "$answer->{status} " . ($data->{title} // '');
}

sub clean
{
	return unless defined $hba;
	put($hba, $hba_before);
	Edge::psql('postgres', 'SELECT pg_reload_conf()');
	undef $hba;
	drop_roles();
}

# The last line of a test.
sub web_done
{
	clean();
	done();
}

END
{
	local $?;
	eval { clean() };
}

1;
