-- The end of the install script: the server grants EXECUTE on each
-- new function to PUBLIC, and default privileges may grant more.
REVOKE ALL ON ALL ROUTINES IN SCHEMA pk_tracking, pk_tracking_internal FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pk_tracking FROM PUBLIC;
