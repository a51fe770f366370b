-- Of messages with a party of a region, or of a tier.
SEMI JOIN (
    SELECT message FROM core.message_party
    WHERE ($region IS NULL OR core.region_label(region) = $region)
        AND ($tier IS NULL OR core.tier_label(tier) = $tier)
) y ON y.message = f.message
