COMMENT ON VIEW message IS 'What members sent; never its text';
