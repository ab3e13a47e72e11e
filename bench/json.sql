SELECT jsonb_pretty(jsonb_build_object(
	'server', version(),
	'hot_share_known', nullif(:'hot_known', '')::numeric,
	'hot_share_logins', nullif(:'hot_login', '')::numeric,
	'medians', (SELECT jsonb_agg(jsonb_build_object('what', what, 'script', script, 'clients', clients,
			'synchronous_commit', synchronous_commit, 'hits_per_s', round(hits_per_s), 'cpu_us', round(cpu_us::numeric, 2),
			'least_cpu_us', round(best_cpu_us::numeric, 2), 'runs', runs, 'spread', round(spread::numeric, 3)) ORDER BY what, synchronous_commit, clients, script)
		FROM bench.median)));
