def validate_odm_xml(data): 
    from lxml import etree
    global S
    t=etree.fromstring(data)
    v="2.0" if "v2.0" in t.tag else "1.3.2"
    if v not in S: S[v]=etree.XMLSchema(file="/work/main/.venv/lib/python3.11/site-packages/odmlib/schemas/odm/%s/%s"%(v,{"2.0":"ODM.xsd","1.3.2":"ODM1-3-2.xsd"}[v]))
    S[v].validate(t)
    return [str(e) for e in S[v].error_log]
S={}
