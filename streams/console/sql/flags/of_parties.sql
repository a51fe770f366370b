-- Of messages with a party of a region, or of a tier.
SEMI JOIN (
    SELECT message FROM core.message_party
    WHERE ($region IS NULL OR region = core.region_code($region))
        AND ($tier IS NULL OR tier = core.tier_code($tier))
) y ON y.message = f.message
