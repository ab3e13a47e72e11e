
-- settings/edge_settings: what an HTTP daemon asks of the settings

CREATE FUNCTION pk_tracking.edge_settings(OUT name text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_edge_settings' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION pk_tracking.edge_settings IS
	'what an HTTP daemon must know beforehand: names of cookies to pass on (cookie), that of an opt-out (opt_out_cookie), headers of proxies to pass on (proxy_header), numbers of sites (site), what the script on their pages must know (page)';

CREATE FUNCTION pk_tracking.consent_window(idsite integer) RETURNS json
	AS 'MODULE_PATHNAME', 'pkt_consent_window' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.consent_window IS
	'the setting consent_window of a site; NULL if it is not set or there is no such site';
