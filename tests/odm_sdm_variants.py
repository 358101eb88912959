"""Documents with SDM-XML, whole and broken, to compare two schemas by. Made up."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from lxml import etree

from trialconv.odm_tree import NAMESPACES, SDM_NAMESPACE

_SDM = f"{{{SDM_NAMESPACE}}}"
_ODM = f"{{{NAMESPACES['1.3.2']}}}"
_TEXT = '<Description><TranslatedText xml:lang="en">T</TranslatedText></Description>'
_NAMED = 'OID="O{}" Name="N"'

#: Every element of SDM-XML with every attribute.
EVERYTHING = f"""<ODM xmlns="{NAMESPACES["1.3.2"]}" xmlns:sdm="{SDM_NAMESPACE}" FileType="Snapshot" FileOID="F"
  ODMVersion="1.3.2" CreationDateTime="2001-01-01T00:00:00Z"><Study OID="S"><GlobalVariables>
  <StudyName>N</StudyName><StudyDescription>D</StudyDescription><ProtocolName>P</ProtocolName></GlobalVariables>
<MetaDataVersion OID="M" Name="M"><Protocol>{_TEXT}<Alias Context="C" Name="A"/>
<sdm:Summary>{_TEXT}<sdm:Parameter OID="P" Term="T" ShortName="CTG.s">{_TEXT}<sdm:Value>V</sdm:Value>
<sdm:Value/>
</sdm:Parameter></sdm:Summary>
<sdm:InclusionExclusionCriteria>{_TEXT}<sdm:InclusionCriteria><sdm:Criterion OID="C1" Name="N"
ConditionOID="CO">
{_TEXT}</sdm:Criterion></sdm:InclusionCriteria><sdm:ExclusionCriteria/></sdm:InclusionExclusionCriteria>
<sdm:Structure><sdm:Epoch OID="E1" Name="N" OrderNumber="1">{_TEXT}</sdm:Epoch><sdm:Arm OID="A1"
Name="N">{_TEXT}
</sdm:Arm><sdm:CellDef OID="C2" Name="N" EpochOID="E1">{_TEXT}<sdm:ArmAssociation Type="Blinded"><sdm:ArmRef
ArmOID="A1"/></sdm:ArmAssociation><sdm:SegmentRef SegmentOID="S1" OrderNumber="1"/></sdm:CellDef>
<sdm:SegmentDef OID="S1" Name="N">{_TEXT}<sdm:ActivityRef ActivityOID="AC" OrderNumber="1"/></sdm:SegmentDef>
<sdm:ActivityDef OID="AC" Name="N">{_TEXT}</sdm:ActivityDef></sdm:Structure>
<sdm:Workflow><sdm:StudyStart>{_TEXT}<sdm:ActivityRef ActivityOID="AC"/></sdm:StudyStart><sdm:StudyFinish>
<sdm:ActivityRef ActivityOID="AC"/></sdm:StudyFinish><sdm:PathCanFinish><sdm:ActivityRef ActivityOID="AC"/>
</sdm:PathCanFinish><sdm:EntryExitCriteria OID="EE" Name="N" StructuralElementType="Epoch"
StructuralElementOID="E1">{_TEXT}<sdm:EntryCriteria><sdm:IncludeInclusionExclusionCriteria/>
<sdm:Criterion OID="C3" Name="N" ConditionOID="CO"/></sdm:EntryCriteria><sdm:ExitCriteria><sdm:Criterion
OID="C4" Name="N" ConditionOID="CO"/></sdm:ExitCriteria>
</sdm:EntryExitCriteria><sdm:Trigger OID="TG" Name="N" ConditionOID="CO" StructuralElementType="Study"
StructuralElementOID="S"><sdm:Switch/></sdm:Trigger><sdm:Transition OID="TR" Name="N" SourceActivityOID="AC">
{_TEXT}<sdm:Switch><sdm:TransitionDestination OID="TD" Name="N" TargetActivityOID="AC" ConditionOID="CO"
OrderNumber="1"/>
<sdm:TransitionDefault OID="TE" Name="N" TargetActivityOID="AC"/></sdm:Switch></sdm:Transition></sdm:Workflow>
<sdm:Timing><sdm:AbsoluteTimingConstraint OID="T1" Name="N" ActivityOID="AC" TimepointTarget="2001-01-01"
TimepointGranularity="PD" TimepointPreWindow="P1D" TimepointPostWindow="P1D"/><sdm:RelativeTimingConstraint
OID="T2" Name="N" PredecessorActivityOID="AC" SuccessorActivityOID="AC" Type="StartToStart"
TimepointRelativeTarget="-P1D"
TimepointGranularity="PTH" TimepointPreWindow="P1D" TimepointPostWindow="P1D" SubsequentSchedulingBasis="Actual"/>
<sdm:TransitionTimingConstraint OID="T3" Name="N" TransitionDestinationOID="TD" Type="FinishToFinish"
TimepointRelativeTarget="P1D" SubsequentSchedulingBasis="Planned"/><sdm:ActivityDuration OID="T4" Name="N"
ActivityOID="AC" PlannedDuration="PT1H" PlannedDurationPreWindow="PT1M" PlannedDurationPostWindow="PT1M"/>
</sdm:Timing></Protocol><StudyEventDef OID="SE" Name="N" Repeating="No" Type="Scheduled"><sdm:ActivityRef
ActivityOID="AC"/>
</StudyEventDef><ConditionDef OID="CO" Name="N">{_TEXT}</ConditionDef></MetaDataVersion></Study></ODM>"""


def variants() -> Iterator[tuple[str, etree._Element]]:
    """Yield a name and a document for every way of breaking every element of SDM-XML, and the whole document."""
    whole = etree.fromstring(EVERYTHING)
    yield "whole", whole
    for at, element in enumerate(whole.iter(_SDM + "*")):
        name = f"{at}:{etree.QName(element).localname}"
        for attribute in element.attrib:
            for change, value in (("missing", None), ("empty", ""), ("odd", "-?")):
                yield f"{name}/@{attribute} {change}", _changed(whole, at, _with(str(attribute), value))
        yield f"{name} with another attribute", _changed(whole, at, _with("MadeUp", "1"))
        for change in (_doubled, _removed, _emptied, _reversed, _renamed, _with_text, _with_stranger):
            yield f"{name} {change.__name__}", _changed(whole, at, change)


def _changed(whole: etree._Element, at: int, change: Callable[[etree._Element], None]) -> etree._Element:
    made = copy.deepcopy(whole)
    change(list(made.iter(_SDM + "*"))[at])
    return made


def _with(attribute: str, value: str | None) -> Callable[[etree._Element], None]:
    def change(element: etree._Element) -> None:
        if value is None:
            del element.attrib[attribute]
        else:
            element.set(attribute, value)

    return change


def _doubled(element: etree._Element) -> None:
    element.addnext(copy.deepcopy(element))


def _removed(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _emptied(element: etree._Element) -> None:
    for child in list(element):
        element.remove(child)


def _reversed(element: etree._Element) -> None:
    element[:] = list(reversed(element))


def _renamed(element: etree._Element) -> None:
    element.tag = _ODM + etree.QName(element).localname


def _with_text(element: etree._Element) -> None:
    element.text = "made up"


def _with_stranger(element: etree._Element) -> None:
    etree.SubElement(element, _SDM + "MadeUp")
