# Section reports of bench/run: each report over 10^6 visits, beside SQL on the views.
# shellcheck shell=bash
# shellcheck disable=SC2154	# variables of bench/run and bench/lib.sh

section_reports() {
	local visits=1000000
	[ -z "$quick" ] || visits=10000
	PGDATABASE=reports
	if make_database reports; then
		sql -c "CREATE EXTENSION pk_tracking CASCADE"
		progress "reports: writing a log of $visits visits"
		sql -v visits="$visits" -f "$top/bench/reports_log.sql" >/dev/null
	fi
	progress "reports: $runs rounds"
	fact run report_visits "$visits"
	psql -X -v rounds="$runs" -v only='' -v samples="$pkt_tmp/report_samples" -f "$top/bench/reports.sql"
	cat "$pkt_tmp/report_samples" >>"$pkt_tmp/samples"
}
