
-- ---------------------------------------------------------------------------
-- admin/web: which roles may use the web pages, and tokens that stand for a role
--
-- The daemon that serves the pages connects as a role without rights of its own.
-- It is a member of the roles that grant_web() names, does not inherit their
-- rights, and becomes one of them for a transaction by set_config('role', ...).
-- Before each of these it calls web_enter(), which alone decides whether it may.
-- ---------------------------------------------------------------------------

/* A member of the extension, so that a dump does not hold it. */
CREATE TABLE pk_tracking.web_token (
	token_hash bytea NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
	role oid NOT NULL,
	idsite integer,
	name text NOT NULL,
	created timestamptz NOT NULL DEFAULT now(),
	expires timestamptz);
COMMENT ON TABLE pk_tracking.web_token IS
	'tokens for the web API, and public links; pk_tracking.create_web_token() creates them';
COMMENT ON COLUMN pk_tracking.web_token.token_hash IS 'SHA-256 of the token, which is not stored';
COMMENT ON COLUMN pk_tracking.web_token.role IS 'role that requests with the token run as';
COMMENT ON COLUMN pk_tracking.web_token.idsite IS
	'site of a public link; NULL: a token for scripts, with all that the role may read';
COMMENT ON COLUMN pk_tracking.web_token.name IS 'display name';
COMMENT ON COLUMN pk_tracking.web_token.created IS 'time of creation';
COMMENT ON COLUMN pk_tracking.web_token.expires IS 'time at which it expires; NULL: never';

/*
 * Why a role may not use the web pages, or NULL: it, or a role of which it is a
 * member, could do more to the server than read a log.
 */
CREATE FUNCTION pk_tracking_internal.web_refusal(role oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
			WHEN r.rolsuper THEN 'SUPERUSER'
			WHEN r.rolcreaterole THEN 'CREATEROLE'
			WHEN r.rolcreatedb THEN 'CREATEDB'
			WHEN r.rolreplication THEN 'REPLICATION'
			WHEN r.rolbypassrls THEN 'BYPASSRLS'
			ELSE format('membership in %s', r.rolname)
		END
	FROM pg_roles r
	WHERE pg_has_role(web_refusal.role, r.oid, 'MEMBER')
		AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
			OR r.rolname ~ '^pg_')
	ORDER BY r.oid <> web_refusal.role, r.rolname LIMIT 1
$$;
COMMENT ON FUNCTION pk_tracking_internal.web_refusal IS
	'the attribute or membership for which a role may not use the web pages; NULL: it may';

/*
 * May the daemon become a role, or the role that a token stands for?  refusal is NULL
 * if it may, else one of: token (there is none, or it has expired), role (it does not
 * exist, may not log in, or its password has expired), grant (grant_web() is
 * missing), attribute (see web_refusal()).
 *
 * stamp changes with each ALTER ROLE, for a new password too, and if the role is
 * dropped and created again: a session that has another one has ended.  Nothing of
 * the password goes into it.
 *
 * SECURITY DEFINER for pg_authid and web_token.
 */
CREATE FUNCTION pk_tracking_internal.web_enter(
	INOUT role name,
	token_hash bytea,
	OUT stamp text,
	OUT idsite integer,
	OUT refusal text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	wanted oid;
	r record;
BEGIN
	IF token_hash IS NOT NULL THEN
		SELECT t.role, t.idsite INTO wanted, idsite FROM pk_tracking.web_token t
			WHERE t.token_hash = web_enter.token_hash AND (t.expires > now()) IS NOT FALSE;
		IF NOT FOUND THEN
			role := NULL;
			refusal := 'token';
			RETURN;
		END IF;
	END IF;
	SELECT a.oid, a.rolname, a.xmin, a.rolcanlogin,
			(a.rolvaliduntil > now()) IS NOT FALSE AS valid INTO r
		FROM pg_authid a
		WHERE a.oid = wanted OR wanted IS NULL AND a.rolname = web_enter.role;
	role := r.rolname;
	stamp := format('%s.%s', r.oid, r.xmin);
	refusal := CASE
		WHEN r.oid IS NULL OR NOT r.rolcanlogin OR NOT r.valid THEN 'role'
		WHEN pk_tracking_internal.web_refusal(r.oid) IS NOT NULL THEN 'attribute'
		WHEN r.rolname = session_user OR NOT pg_has_role(session_user, r.oid, 'MEMBER')
			-- who is a member of all roles without grant_web()
			OR (SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = session_user) THEN 'grant'
		END;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.web_enter IS
	'whether the daemon of the web pages may become a role, or that of a token: its name, a stamp that changes with the role, the site of a public link, and why not';

CREATE FUNCTION pk_tracking_internal.web_check_role(role name) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	refusal text;
BEGIN
	PERFORM pk_tracking_internal.check_role(role);
	refusal := pk_tracking_internal.web_refusal(
		(SELECT r.oid FROM pg_roles r WHERE r.rolname = web_check_role.role));
	IF refusal IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" must not use the web pages', role),
			DETAIL = format('It has %s.', refusal),
			HINT = 'Create a role without SUPERUSER, CREATEROLE, CREATEDB, REPLICATION and BYPASSRLS that is no member of a role of the server''s own.';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.web_check_role IS
	'raises an error if a role must not use the web pages';

CREATE FUNCTION pk_tracking.grant_web(role name, daemon name DEFAULT 'pk_tracking_web') RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.web_check_role(role);
	PERFORM pk_tracking_internal.web_check_role(daemon);
	IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = daemon AND r.rolinherit) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" must not inherit the rights of others', daemon),
			HINT = format('Use ALTER ROLE %I NOINHERIT.', daemon);
	END IF;
	EXECUTE format('GRANT %I TO %I', role, daemon);
	-- since PostgreSQL 16 each membership says itself whether it inherits
	IF pg_has_role(daemon, role, 'USAGE') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" must not inherit the rights of role "%s"', daemon, role),
			HINT = format('Use REVOKE %I FROM %I, of each role that granted it, and try again.', role, daemon);
	END IF;
	PERFORM pk_tracking_internal.grant_execute(daemon, '^web_enter$');
	PERFORM pk_tracking_internal.grant_execute(role,
		'^(api_.*|sites_of_role|create_web_token|web_tokens|drop_web_token)$');
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_web IS
	'lets a role log in to the web pages: their daemon''s role may become it';

CREATE FUNCTION pk_tracking.revoke_web(role name, daemon name DEFAULT 'pk_tracking_web')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantor text;
BEGIN
	PERFORM pk_tracking_internal.check_role(role), pk_tracking_internal.check_role(daemon);
	-- since PostgreSQL 16 a membership is there once for each role that granted it
	FOR grantor IN
		SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000
			THEN format('GRANTED BY %I', pg_get_userbyid(m.grantor)) ELSE '' END
		FROM pg_auth_members m
		WHERE pg_get_userbyid(m.roleid) = role AND pg_get_userbyid(m.member) = daemon
	LOOP
		EXECUTE format('REVOKE %I FROM %I %s', role, daemon, grantor);
	END LOOP;
	IF pg_has_role(daemon, role, 'MEMBER') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" is still a member of role "%s"', daemon, role),
			DETAIL = 'It is a superuser, or a member by way of other roles.',
			HINT = format('Revoke role "%s" from those roles, or these from role "%s".', role, daemon);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.revoke_web IS
	'takes away what grant_web() granted; sessions, tokens and public links of the role end at once';

-- tokens

/*
 * The role on whose behalf a SECURITY DEFINER function runs: current_user is its
 * owner there, and session_user the daemon.
 */
CREATE FUNCTION pk_tracking_internal.web_caller() RETURNS oid
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.oid FROM pg_roles r
	WHERE r.rolname = CASE current_setting('role')
		WHEN 'none' THEN session_user ELSE current_setting('role')::name END
$$;
COMMENT ON FUNCTION pk_tracking_internal.web_caller IS
	'the role of SET ROLE, else that of the session';

CREATE FUNCTION pk_tracking.create_web_token(
	name text,
	role name DEFAULT NULL,
	idsite integer DEFAULT NULL,
	expires timestamptz DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	caller CONSTANT oid := pk_tracking_internal.web_caller();
	holder oid := caller;
	token text;
BEGIN
	IF role IS NOT NULL THEN
		PERFORM pk_tracking_internal.check_role(role);
		SELECT r.oid INTO holder FROM pg_roles r WHERE r.rolname = create_web_token.role;
	END IF;
	IF NOT pg_has_role(caller, holder, 'MEMBER') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be a member of role "%s" to create its tokens', role);
	END IF;
	PERFORM pk_tracking_internal.web_check_role(pg_get_userbyid(holder));
	IF coalesce(name, '') = '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a token must have a name';
	END IF;
	IF idsite IS NOT NULL THEN
		PERFORM pk_tracking_internal.need_log();
		PERFORM pk_tracking_internal.need_site(idsite);
	END IF;
	-- two random uuids have 244 random bits
	token := encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex');
	INSERT INTO pk_tracking.web_token (token_hash, role, idsite, name, expires)
		VALUES (sha256(convert_to(token, 'UTF8')), holder, create_web_token.idsite,
			create_web_token.name, create_web_token.expires);
	RETURN token;
END
$$;
COMMENT ON FUNCTION pk_tracking.create_web_token IS
	'creates a token that reads as a role (NULL: the caller) by the web API, or, with idsite, a public link to one site''s numbers, and returns it; only its hash is stored';

CREATE FUNCTION pk_tracking.web_tokens()
RETURNS TABLE (hash text, role name, idsite integer, name text, created timestamptz,
	expires timestamptz)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(encode(t.token_hash, 'hex'), 16), r.rolname, t.idsite, t.name, t.created, t.expires
	FROM pk_tracking.web_token t JOIN pg_roles r ON r.oid = t.role
	WHERE pg_has_role(pk_tracking_internal.web_caller(), r.oid, 'MEMBER')
	ORDER BY t.created, 1
$$;
COMMENT ON FUNCTION pk_tracking.web_tokens IS
	'the tokens for the web API, and the public links, of the caller''s role and of those of which it is a member';

CREATE FUNCTION pk_tracking.drop_web_token(hash text) RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	dropped integer;
BEGIN
	IF hash !~ '^[0-9A-Fa-f]{8,64}$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'hash must consist of 8 to 64 hexadecimal digits';
	END IF;
	DELETE FROM pk_tracking.web_token t USING pg_roles r
		WHERE starts_with(encode(t.token_hash, 'hex'), lower(drop_web_token.hash))
			AND r.oid = t.role
			AND pg_has_role(pk_tracking_internal.web_caller(), r.oid, 'MEMBER');
	GET DIAGNOSTICS dropped = ROW_COUNT;
	RETURN dropped;
END
$$;
COMMENT ON FUNCTION pk_tracking.drop_web_token IS
	'deletes the tokens and public links whose hash begins with these digits; returns their number';
