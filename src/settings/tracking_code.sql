
-- settings/tracking_code: what the owner of a site pastes into its pages

CREATE FUNCTION pk_tracking.tracking_code(idsite integer, url text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- HTML's escapes, & first
	base text := replace(replace(replace(replace(replace(regexp_replace(url, '/+$', '') || '/',
		'&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
	mode text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF url !~* '^(https?:)?//[^/\s]+' OR url ~ '[\s?#]' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "url" is not the URL of a server',
			HINT = 'It is where pk_tracking_httpd is reached, such as https://stats.example.org/.';
	END IF;
	PERFORM pk_tracking_internal.need_site(idsite);
	mode := pk_tracking_internal.setting_value(idsite, 'consent_mode');
	RETURN concat_ws(E'\n',
		CASE WHEN mode <> 'not_asked' THEN
			format('<script src="%sconsent.js?idsite=%s" defer></script>', base, idsite) END,
		format('<script src="%spk.js?idsite=%s" defer></script>', base, idsite),
		-- who runs no scripts cannot agree
		CASE WHEN mode <> 'ask_else_nothing' THEN
			format('<noscript><img src="%smatomo.php?idsite=%s&amp;rec=1%s"'
				' referrerpolicy="no-referrer-when-downgrade" alt=""></noscript>',
				base, idsite, CASE WHEN mode = 'ask_else_anonymous' THEN '&amp;consent=-1' END) END);
END
$$;
COMMENT ON FUNCTION pk_tracking.tracking_code IS
	'the HTML that goes into the pages of a site, where pk_tracking_httpd is reached at a URL';
