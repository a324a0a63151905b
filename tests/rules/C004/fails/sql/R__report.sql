CREATE OR REPLACE VIEW report AS SELECT '${flyway:timestamp}' AS made, o.* FROM orders o;
