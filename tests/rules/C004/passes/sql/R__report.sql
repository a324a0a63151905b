CREATE OR REPLACE VIEW report AS SELECT now() AS made, o.* FROM orders o;
